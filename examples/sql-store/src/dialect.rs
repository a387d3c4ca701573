//! Where the databases differ in words. Everything else is written once.

/// Which language a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    MySql,
}

/// A table that is written to, and how.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// The key that decides whether a row is there; empty for plain inserts.
    pub(crate) key: &'static [&'static str],
    /// What is replaced if the row is there; if empty beside a key, the old row stays.
    pub(crate) replace: &'static [&'static str],
    /// A row is replaced whole, and has no index but its key: SQLite then overwrites it in place.
    pub(crate) overwrite: bool,
}

impl Table {
    /// Plain inserts.
    pub(crate) const PLAIN: Table =
        Table { name: "", columns: &[], key: &[], replace: &[], overwrite: false };
}

impl Dialect {
    /// What locks the rows that a SELECT reads until the transaction ends. SQLite's transactions lock the whole file.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::MySql => " FOR UPDATE",
        }
    }

    /// What makes a SELECT of marks by id read, and lock, nothing but these.
    pub(crate) fn by_primary_key(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::MySql => " FORCE INDEX (PRIMARY)",
        }
    }

    /// Most rows of one statement. MySQL's are a question and an answer over the network; SQLite keeps each size prepared in memory.
    pub(crate) fn largest(self) -> usize {
        match self {
            Dialect::Sqlite => 64,
            Dialect::MySql => 512,
        }
    }

    /// An INSERT of `rows` rows.
    pub(crate) fn insert(self, table: &Table, rows: usize) -> String {
        let or_replace = if self.overwrites(table) { " OR REPLACE" } else { "" };
        let columns = table.columns.join(", ");
        let mut sql = format!("INSERT{or_replace} INTO {} ({columns}) VALUES ", table.name);
        let row = format!("({})", placeholders(table.columns.len()));
        for i in 0..rows {
            sql.push_str(if i > 0 { ", " } else { "" });
            sql.push_str(&row);
        }
        sql.push_str(&self.if_there(table));
        sql
    }

    /// `WHERE column IN (?, …)` for a list of `n`.
    pub(crate) fn list(self, n: usize) -> String {
        format!("({})", placeholders(n))
    }

    fn overwrites(self, table: &Table) -> bool {
        self == Dialect::Sqlite && table.overwrite
    }

    fn if_there(self, table: &Table) -> String {
        if self.overwrites(table) {
            return String::new();
        }
        let Some(first) = table.key.first() else { return String::new() };
        let assign = |how: fn(&str) -> String| {
            table.replace.iter().map(|c| format!("{c} = {}", how(c))).collect::<Vec<_>>().join(", ")
        };
        match self {
            Dialect::Sqlite if table.replace.is_empty() => {
                format!(" ON CONFLICT ({}) DO NOTHING", table.key.join(", "))
            }
            Dialect::Sqlite => {
                let set = assign(|c| format!("excluded.{c}"));
                format!(" ON CONFLICT ({}) DO UPDATE SET {set}", table.key.join(", "))
            }
            // Not INSERT IGNORE, which would turn errors in the data into warnings.
            Dialect::MySql if table.replace.is_empty() => {
                format!(" ON DUPLICATE KEY UPDATE {first} = {}.{first}", table.name)
            }
            // VALUES() is the one spelling that MariaDB and every MySQL share.
            Dialect::MySql => format!(" ON DUPLICATE KEY UPDATE {}", assign(|c| format!("VALUES({c})"))),
        }
    }
}

fn placeholders(n: usize) -> String {
    let mut text = "?, ".repeat(n);
    text.truncate(text.len().saturating_sub(2));
    text
}

/// Cuts `n` rows into statements of 2^k rows, the largest first, so that few prepared statements serve every size.
pub(crate) fn chunks(mut n: usize, largest: usize) -> impl Iterator<Item = usize> {
    let mut size = largest;
    std::iter::from_fn(move || {
        while size > n {
            size /= 2;
        }
        n -= size;
        (size > 0).then_some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_add_up_and_are_few() {
        for n in 0..2_000 {
            let cut: Vec<usize> = chunks(n, 512).collect();
            assert_eq!(cut.iter().sum::<usize>(), n);
            assert!(cut.len() <= n / 512 + 9);
            assert!(cut.iter().all(|c| c.is_power_of_two() && *c <= 512));
        }
    }

    #[test]
    fn an_upsert_in_each_dialect() {
        let table = Table { name: "t", columns: &["a", "b"], key: &["a"], replace: &["b"], ..Table::PLAIN };
        assert_eq!(
            Dialect::Sqlite.insert(&table, 2),
            "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b"
        );
        assert_eq!(
            Dialect::MySql.insert(&table, 1),
            "INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE b = VALUES(b)"
        );
        let whole = Table { overwrite: true, ..table };
        assert_eq!(Dialect::Sqlite.insert(&whole, 1), "INSERT OR REPLACE INTO t (a, b) VALUES (?, ?)");
        assert_eq!(Dialect::MySql.insert(&whole, 1), Dialect::MySql.insert(&table, 1));
        let once = Table { replace: &[], ..table };
        assert_eq!(
            Dialect::MySql.insert(&once, 1),
            "INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = t.a"
        );
    }
}
