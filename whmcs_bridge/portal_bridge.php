<?php
/**
 * Portal bridge: tells the customer portal by signed HTTP what has happened in WHMCS.
 *
 * Copy this file to includes/hooks/ and see README.md for its configuration. It needs WHMCS 8 and PHP 7.2 with curl.
 * Only ids leave WHMCS; the portal reads everything else back by API. An event is written to the table
 * mod_portal_outbox by the request that caused it, tried once when that request ends, and tried again by the cron.
 */

use WHMCS\Database\Capsule;

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

class PortalBridge
{
    const TABLE = 'mod_portal_outbox';
    const STOPPED = 'BridgeStopped';
    const BACKOFF_MINUTES = [1, 5, 15, 60, 240];
    const GIVE_UP_HOURS = 72;
    const KEEP_DAYS = 30;
    const CONNECT_MS = 1000;
    const TOTAL_MS = 2000;
    const CLAIM_SECONDS = 60;
    const CRON_SECONDS = 20;

    const INVOICE = ['invoice_id' => ['invoiceid']];
    const ORDER = ['order_id' => ['orderid']];
    const SERVICE = ['client_id' => ['userid'], 'service_id' => ['serviceid']];
    const ADDON = ['addon_id' => ['id'], 'client_id' => ['userid'], 'service_id' => ['serviceid']];
    // The parameters hold passwords and the client's details: only three ids are taken.
    const MODULE = ['service_id' => ['serviceid'], 'client_id' => ['userid'], 'product_id' => ['pid']];
    const UPGRADE = ['upgrade_id' => ['upgradeid']];

    /** Hook point => our name of an id => the names WHMCS gives it, its documented misspelling included. */
    const HOOKS = [
        'InvoiceCreated' => self::INVOICE,
        'InvoicePaid' => self::INVOICE,
        'InvoiceUnpaid' => self::INVOICE,
        'InvoiceCancelled' => self::INVOICE,
        'InvoiceRefunded' => self::INVOICE,
        'InvoiceChangeGateway' => self::INVOICE,
        'UpdateInvoiceTotal' => self::INVOICE,
        'AddInvoiceLateFee' => self::INVOICE,
        'InvoiceSplit' => ['invoice_id' => ['originalinvoiceid'], 'new_invoice_id' => ['newinvoiceid']],
        'AddInvoicePayment' => self::INVOICE,
        'AddTransaction' => [
            'transaction_id' => ['id'],
            'client_id' => ['userid'],
            'invoice_id' => ['invoiceid', 'invocieid'],
        ],
        'OrderPaid' => ['order_id' => ['orderId'], 'client_id' => ['userId'], 'invoice_id' => ['invoiceId']],
        'AfterShoppingCartCheckout' => ['order_id' => ['OrderID'], 'invoice_id' => ['InvoiceID']],
        'AcceptOrder' => self::ORDER,
        'CancelOrder' => self::ORDER,
        'PendingOrder' => self::ORDER,
        'FraudOrder' => self::ORDER,
        'DeleteOrder' => self::ORDER,
        'CancelAndRefundOrder' => self::ORDER,
        'ClientAdd' => ['client_id' => ['client_id', 'userid'], 'user_id' => ['user_id']],
        'ClientEdit' => ['client_id' => ['userid']],
        'ClientClose' => ['client_id' => ['userid']],
        'PreDeleteClient' => ['client_id' => ['userid']],
        'AfterClientMerge' => ['client_id' => ['toUserID'], 'merged_client_id' => ['fromUserID']],
        'CCUpdate' => ['client_id' => ['userid']],
        'ServiceEdit' => self::SERVICE,
        'ServiceDelete' => self::SERVICE,
        'ServiceRecurringCompleted' => ['service_id' => ['serviceid']],
        'CancellationRequest' => ['client_id' => ['userid'], 'service_id' => ['relid']],
        'AfterModuleCreate' => self::MODULE,
        'AfterModuleSuspend' => self::MODULE,
        'AfterModuleUnsuspend' => self::MODULE,
        'AfterModuleTerminate' => self::MODULE,
        'AfterModuleChangePackage' => self::MODULE,
        'AfterProductUpgrade' => self::UPGRADE,
        'AfterConfigOptionsUpgrade' => self::UPGRADE,
        'AddonAdd' => self::ADDON,
        'AddonActivation' => self::ADDON,
        'AddonActivated' => self::ADDON,
        'AddonSuspended' => self::ADDON,
        'AddonUnsuspended' => self::ADDON,
        'AddonTerminated' => self::ADDON,
        'AddonCancelled' => self::ADDON,
    ];

    /** @var array|null|false Configuration; null before it was looked for, false when there is none. */
    private static $config = null;

    /** @var string[] Events written by this request and not yet tried. */
    private static $fresh = [];

    /**
     * Make the outbox table when this file is loaded: making one later would commit the transaction a hook runs in.
     */
    public static function prepare()
    {
        try {
            if (self::config() && !Capsule::schema()->hasTable(self::TABLE)) {
                self::createTable();
            }
        } catch (\Throwable $error) {
            self::log('could not make the outbox: ' . $error->getMessage());
        }
    }

    /**
     * Write an event to the outbox. Never throws: a hook must not break the request it runs in.
     */
    public static function record($event, array $ids)
    {
        try {
            if (!self::config() || self::isStopped()) {
                return;
            }
            $eventId = self::uuid4();
            $now = gmdate('Y-m-d H:i:s');
            Capsule::table(self::TABLE)->insert([
                'event_id' => $eventId,
                'event' => $event,
                'payload' => self::payload($eventId, $event, $ids),
                'created_at' => $now,
                'attempts' => 0,
                'next_at' => $now,
            ]);
            if (!self::$fresh) {
                register_shutdown_function([self::class, 'deliverFresh']);
            }
            self::$fresh[] = $eventId;
        } catch (\Throwable $error) {
            self::log('could not record ' . $event . ': ' . $error->getMessage());
        }
    }

    /**
     * Take the ids of a hook's variables, or of its module parameters; an absent or empty one is left out.
     */
    public static function ids(array $vars, array $names)
    {
        $vars = isset($vars['params']) && is_array($vars['params']) ? $vars['params'] : $vars;
        $ids = [];
        foreach ($names as $ours => $theirs) {
            foreach ($theirs as $name) {
                if (!isset($ids[$ours]) && isset($vars[$name]) && is_numeric($vars[$name]) && (int) $vars[$name] > 0) {
                    $ids[$ours] = (int) $vars[$name];
                }
            }
        }
        return $ids;
    }

    /**
     * Try this request's own events once, within the time a visitor may be kept waiting.
     */
    public static function deliverFresh()
    {
        $eventIds = self::$fresh;
        self::$fresh = [];
        self::deliver($eventIds, self::TOTAL_MS / 1000);
    }

    /**
     * Deliver what is due and forget what was delivered long ago. Called by the cron.
     */
    public static function drain()
    {
        self::deliver(null, self::CRON_SECONDS);
        try {
            $old = gmdate('Y-m-d H:i:s', time() - self::KEEP_DAYS * 86400);
            Capsule::table(self::TABLE)->where('event', '!=', self::STOPPED)->where('delivered_at', '<', $old)->delete();
        } catch (\Throwable $error) {
            self::log('could not tidy the outbox: ' . $error->getMessage());
        }
    }

    private static function deliver($eventIds, $seconds)
    {
        $deadline = microtime(true) + $seconds;
        try {
            if (!self::config() || self::isStopped()) {
                return;
            }
            $due = Capsule::table(self::TABLE)->whereNull('delivered_at')->where('next_at', '<=', gmdate('Y-m-d H:i:s'));
            if ($eventIds !== null) {
                $due = $due->whereIn('event_id', $eventIds);
            }
            foreach ($due->orderBy('id')->limit(100)->get() as $row) {
                $left = (int) (($deadline - microtime(true)) * 1000);
                if ($left < 100) {
                    return;
                }
                if (self::claim($row) && !self::attempt($row, min($left, self::TOTAL_MS))) {
                    return;
                }
            }
        } catch (\Throwable $error) {
            self::log('could not deliver: ' . $error->getMessage());
        }
    }

    /**
     * Take a row for this process, so that a request and the cron do not send it at the same moment.
     */
    private static function claim($row)
    {
        $changed = Capsule::table(self::TABLE)
            ->where('id', $row->id)
            ->where('attempts', $row->attempts)
            ->whereNull('delivered_at')
            ->update([
                'attempts' => $row->attempts + 1,
                'next_at' => gmdate('Y-m-d H:i:s', time() + self::CLAIM_SECONDS),
            ]);
        return $changed === 1;
    }

    /**
     * Send a claimed row once and note the outcome. Returns false when the portal wants no more events.
     */
    private static function attempt($row, $milliseconds)
    {
        $attempt = $row->attempts + 1;
        list($status, $failure) = self::post($row, $attempt, $milliseconds);
        if ($status >= 200 && $status < 300) {
            self::note($row->id, ['delivered_at' => gmdate('Y-m-d H:i:s'), 'last_error' => '']);
            return true;
        }
        $reason = $failure !== '' ? $failure : 'HTTP ' . $status;
        if ($status === 410) {
            self::stop($row, $reason);
            return false;
        }
        if (time() - strtotime($row->created_at . ' UTC') > self::GIVE_UP_HOURS * 3600) {
            // The far date keeps a dead row out of every later run without losing it.
            self::note($row->id, ['next_at' => '9999-12-31 00:00:00', 'last_error' => 'dead: ' . $reason]);
            self::log('gave up on ' . $row->event . ' ' . $row->event_id . ': ' . $reason);
            return true;
        }
        $steps = self::BACKOFF_MINUTES;
        $minutes = $steps[min($attempt, count($steps)) - 1];
        $next = gmdate('Y-m-d H:i:s', time() + $minutes * 60);
        self::note($row->id, ['next_at' => $next, 'last_error' => substr($reason, 0, 250)]);
        return true;
    }

    private static function post($row, $attempt, $milliseconds)
    {
        $config = self::config();
        $timestamp = (string) time();
        $signed = $timestamp . '.' . $row->event_id . '.' . $row->payload;
        $curl = curl_init($config['url']);
        curl_setopt_array($curl, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $row->payload,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_NOSIGNAL => true,
            CURLOPT_CONNECTTIMEOUT_MS => min(self::CONNECT_MS, $milliseconds),
            CURLOPT_TIMEOUT_MS => $milliseconds,
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/json; charset=utf-8',
                'User-Agent: whmcs-bridge/1',
                'Expect:',
                'X-Whmcs-Event: ' . $row->event,
                'X-Whmcs-Delivery: ' . $row->event_id,
                'X-Whmcs-Attempt: ' . $attempt,
                'X-Whmcs-Timestamp: ' . $timestamp,
                'X-Whmcs-Key: ' . $config['key'],
                'X-Whmcs-Signature: v1=' . hash_hmac('sha256', $signed, $config['secret']),
            ],
        ]);
        curl_exec($curl);
        $status = (int) curl_getinfo($curl, CURLINFO_HTTP_CODE);
        $failure = curl_errno($curl) ? curl_error($curl) : '';
        curl_close($curl);
        return [$failure === '' ? $status : 0, $failure];
    }

    private static function payload($eventId, $event, array $ids)
    {
        global $CONFIG;
        $url = isset($CONFIG['SystemURL']) ? $CONFIG['SystemURL'] : '';
        return json_encode([
            'id' => $eventId,
            'event' => $event,
            'occurred_at' => gmdate('Y-m-d\TH:i:s\Z'),
            'source' => rtrim($url, '/'),
            'api_version' => 1,
            'data' => (object) $ids,
        ]);
    }

    private static function note($id, array $values)
    {
        Capsule::table(self::TABLE)->where('id', $id)->update($values);
    }

    private static function isStopped()
    {
        return Capsule::table(self::TABLE)->where('event', self::STOPPED)->exists();
    }

    private static function stop($row, $reason)
    {
        $now = gmdate('Y-m-d H:i:s');
        Capsule::table(self::TABLE)->insert([
            'event_id' => self::uuid4(),
            'event' => self::STOPPED,
            'payload' => '{}',
            'created_at' => $now,
            'attempts' => 0,
            'next_at' => $now,
            'delivered_at' => $now,
            'last_error' => $reason,
        ]);
        self::note($row->id, ['next_at' => '9999-12-31 00:00:00', 'last_error' => 'dead: ' . $reason]);
        self::log('the portal answered 410: no more events are sent until the row ' . self::STOPPED . ' is removed');
    }

    /**
     * Read the configuration, once per request.
     */
    private static function config()
    {
        if (self::$config === null) {
            $path = getenv('PORTAL_BRIDGE_CONFIG') ?: dirname(ROOTDIR) . '/portal_bridge_config.php';
            $config = is_readable($path) ? include $path : null;
            $complete = is_array($config) && !empty($config['url']) && !empty($config['key']) && !empty($config['secret']);
            self::$config = $complete ? $config : false;
        }
        return self::$config;
    }

    private static function createTable()
    {
        Capsule::schema()->create(self::TABLE, function ($table) {
            $table->bigIncrements('id');
            $table->char('event_id', 36)->unique();
            $table->string('event', 64)->index();
            $table->text('payload');
            $table->dateTime('created_at');
            $table->unsignedInteger('attempts')->default(0);
            $table->dateTime('next_at');
            $table->dateTime('delivered_at')->nullable();
            $table->string('last_error', 255)->default('');
            $table->index(['delivered_at', 'next_at']);
        });
    }

    private static function uuid4()
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }

    private static function log($message)
    {
        if (function_exists('logActivity')) {
            logActivity('Portal bridge: ' . $message);
        }
    }
}

PortalBridge::prepare();

foreach (PortalBridge::HOOKS as $portalBridgeEvent => $portalBridgeIds) {
    add_hook($portalBridgeEvent, 100, function ($vars) use ($portalBridgeEvent, $portalBridgeIds) {
        PortalBridge::record($portalBridgeEvent, PortalBridge::ids((array) $vars, $portalBridgeIds));
    });
}
unset($portalBridgeEvent, $portalBridgeIds);

add_hook('AfterCronJob', 100, function () {
    PortalBridge::drain();
});
