"""What attackers type: pieces of SQL, SOQL, markup, formulas and headers, each of which must stay plain text."""

STATEMENTS = (
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "x' UNION SELECT email, password_hash FROM users --",
    "1) OR 1=1 --",
    "\\' OR Id != null OR Name = \\'",
    "') OR (LastName LIKE '%",
    "%' AND Email != '",
    "\\",
    "%",
    "_",
    "{email} %(user_id)s :user_id ${7*7} {{7*7}}",
    "' AND (SELECT 1 FROM pg_sleep(0)) IS NULL --",
    "１'；ＤＲＯＰ ＴＡＢＬＥ ｕｓｅｒｓ",
    "a\x00' OR 1=1",
)
MARK = "data-hostile"
MARKUP = (
    f"<img src=x {MARK} onerror=window.hostile=1>",
    f"<script {MARK}>window.hostile=1</script>",
    f'"><svg {MARK} onload=window.hostile=1>',
    f"javascript:window.hostile=1//<b {MARK}>",
    "{{ 7 * 7 }}${7*7}[[amount]]",
)
LINES = ("x\r\nATTENDEE:mailto:evil@example.jp", "x\nEND:VEVENT\nBEGIN:VEVENT\nUID:evil", "a;b,c\\n:d", "長" * 200)
