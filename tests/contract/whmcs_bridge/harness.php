<?php
/**
 * Just enough of WHMCS to load portal_bridge.php: its hook list, its activity log and Capsule over a SQLite file.
 *
 * php harness.php BRIDGE DATABASE LOG, with a JSON list of {"hook": name, "vars": {...}} on standard input. Each hook's
 * callbacks run in turn; what they registered for the end of the request runs when this script ends.
 */

namespace WHMCS\Database {
    class Capsule
    {
        public static $pdo;

        public static function schema()
        {
            return new Schema();
        }

        public static function table($name)
        {
            return new Query($name);
        }
    }

    class Schema
    {
        public function hasTable($name)
        {
            $found = Capsule::$pdo->prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
            $found->execute([$name]);
            return (bool) $found->fetch();
        }

        public function create($name, $describe)
        {
            $table = new Blueprint();
            $describe($table);
            Capsule::$pdo->exec("CREATE TABLE $name (" . implode(', ', array_map('strval', $table->columns)) . ')');
        }
    }

    class Blueprint
    {
        public $columns = [];

        public function __call($type, $arguments)
        {
            if ($type === 'index') {
                return null;
            }
            return $this->columns[] = new Column($type, $arguments[0]);
        }
    }

    class Column
    {
        private $definition;

        private $isNull = ' NOT NULL';

        public function __construct($type, $name)
        {
            $kinds = ['bigIncrements' => 'INTEGER PRIMARY KEY AUTOINCREMENT', 'unsignedInteger' => 'INTEGER'];
            $this->definition = $name . ' ' . ($kinds[$type] ?? 'TEXT');
        }

        public function __call($name, $arguments)
        {
            if ($name === 'nullable') {
                $this->isNull = '';
            } elseif ($name === 'unique') {
                $this->definition .= ' UNIQUE';
            } elseif ($name === 'default') {
                $this->definition .= ' DEFAULT ' . Capsule::$pdo->quote((string) $arguments[0]);
            }
            return $this;
        }

        public function __toString()
        {
            return $this->definition . $this->isNull;
        }
    }

    class Query
    {
        private $table;

        private $where = [];

        private $values = [];

        private $tail = '';

        public function __construct($table)
        {
            $this->table = $table;
        }

        public function where($column, $operator, $value = null)
        {
            list($operator, $value) = func_num_args() === 2 ? ['=', $operator] : [$operator, $value];
            $this->where[] = "$column $operator ?";
            $this->values[] = $value;
            return $this;
        }

        public function whereNull($column)
        {
            $this->where[] = "$column IS NULL";
            return $this;
        }

        public function whereIn($column, array $values)
        {
            $this->where[] = $values ? "$column IN (" . implode(',', array_fill(0, count($values), '?')) . ')' : '0';
            $this->values = array_merge($this->values, $values);
            return $this;
        }

        public function orderBy($column)
        {
            $this->tail .= " ORDER BY $column";
            return $this;
        }

        public function limit($count)
        {
            $this->tail .= " LIMIT $count";
            return $this;
        }

        public function get()
        {
            return $this->run("SELECT * FROM {$this->table}" . $this->condition() . $this->tail)
                ->fetchAll(\PDO::FETCH_OBJ);
        }

        public function exists()
        {
            return (bool) $this->get();
        }

        public function insert(array $row)
        {
            $marks = implode(',', array_fill(0, count($row), '?'));
            $this->values = array_values($row);
            $this->run("INSERT INTO {$this->table} (" . implode(',', array_keys($row)) . ") VALUES ($marks)");
        }

        public function update(array $row)
        {
            $this->values = array_merge(array_values($row), $this->values);
            $set = implode(' = ?, ', array_keys($row)) . ' = ?';
            return $this->run("UPDATE {$this->table} SET $set" . $this->condition())->rowCount();
        }

        public function delete()
        {
            return $this->run("DELETE FROM {$this->table}" . $this->condition())->rowCount();
        }

        private function condition()
        {
            return $this->where ? ' WHERE ' . implode(' AND ', $this->where) : '';
        }

        private function run($sql)
        {
            $statement = Capsule::$pdo->prepare($sql);
            $statement->execute($this->values);
            return $statement;
        }
    }
}

namespace {
    error_reporting(E_ALL);
    // A notice inside a hook would end up on a visitor's page.
    set_error_handler(function ($number, $text, $file, $line) {
        throw new ErrorException($text, 0, $number, $file, $line);
    });
    list(, $bridge, $database, $log) = $argv;
    define('WHMCS', true);
    define('ROOTDIR', dirname($database) . '/whmcs');
    $CONFIG = ['SystemURL' => 'https://billing.example.jp/'];
    $hooks = [];

    function add_hook($point, $priority, $callback)
    {
        global $hooks;
        $hooks[$point][$priority][] = $callback;
    }

    function logActivity($description)
    {
        global $log;
        file_put_contents($log, $description . "\n", FILE_APPEND);
    }

    WHMCS\Database\Capsule::$pdo = new PDO('sqlite:' . $database);
    WHMCS\Database\Capsule::$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    require $bridge;
    foreach (json_decode(stream_get_contents(STDIN), true) as $call) {
        foreach ($hooks[$call['hook']] ?? [] as $callbacks) {
            foreach ($callbacks as $callback) {
                $callback($call['vars']);
            }
        }
    }
    echo json_encode(array_keys($hooks)), "\n";
}
