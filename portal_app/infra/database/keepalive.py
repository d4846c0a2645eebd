"""How both ends of every connection to PostgreSQL notice within half a minute that the other host is gone.

A lock lives as long as the server believes in its connection; without this, a lost host would hold it for two hours.
"""

_IDLE, _INTERVAL, _COUNT = 10, 5, 3
_USER_TIMEOUT_MS = 25_000
# For the server's end, as part of `options`; for ours, as parameters of the connection.
SERVER_OPTIONS = (
    f"-c tcp_keepalives_idle={_IDLE} -c tcp_keepalives_interval={_INTERVAL} -c tcp_keepalives_count={_COUNT}"
    f" -c tcp_user_timeout={_USER_TIMEOUT_MS}"
)
CLIENT_PARAMETERS = {
    "keepalives_idle": _IDLE,
    "keepalives_interval": _INTERVAL,
    "keepalives_count": _COUNT,
    "tcp_user_timeout": _USER_TIMEOUT_MS,
}
