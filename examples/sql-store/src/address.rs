//! Which database: a URL taken apart, and how it is shown to people.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;

use sqlx::mysql::MySqlConnectOptions;

use crate::error::OpenError;

/// A URL taken apart. Holds the password, so it is never shown: `shown` is.
pub(crate) struct Address {
    pub(crate) target: Target,
    /// Without the password.
    pub(crate) shown: Arc<str>,
}

pub(crate) enum Target {
    Sqlite(PathBuf),
    MySql(Box<MySqlConnectOptions>),
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(OpenError::Url { given: "no scheme".into(), hint: None });
        };
        match scheme {
            "sqlite" => sqlite(rest),
            "mysql" | "mariadb" => mysql(rest),
            // A Windows path, or a name that holds a colon: no secret stands before the first one.
            _ => Err(OpenError::Url { given: format!("the scheme \"{scheme}\""), hint: None }),
        }
    }
}

fn sqlite(rest: &str) -> Result<Address, OpenError> {
    let file = rest.strip_prefix("//").unwrap_or(rest);
    if file.is_empty() || file == ":memory:" {
        let hint = "a SQLite store needs a file; for tests there is MemoryStore in sensock-store";
        return Err(OpenError::Url { given: "no file".into(), hint: Some(hint) });
    }
    Ok(Address { target: Target::Sqlite(file.into()), shown: format!("SQLite file {file}").into() })
}

fn mysql(rest: &str) -> Result<Address, OpenError> {
    let bad = |hint| OpenError::Url { given: "an incomplete address".into(), hint: Some(hint) };
    // The parser's own words may repeat the password: they stay here.
    let options = MySqlConnectOptions::from_str(&format!("mysql:{rest}"))
        .map_err(|_| bad("escape special characters of a password as %40 for @, %3A for :, %2F for /"))?;
    let Some(database) = options.get_database().map(str::to_owned) else {
        return Err(bad("name the database after the host, as in mysql://user:password@host/plants"));
    };
    let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
    let shown = format!("MySQL database {database} at {user}@{host}:{port}").into();
    Ok(Address { target: Target::MySql(Box::new(options)), shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        match Address::parse(url) {
            Ok(address) => address.shown.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        assert_eq!(shown("mysql://me:s3cret@db/plants"), "MySQL database plants at me@db:3306");
        for url in
            ["mysql://me:s3cret@db", "mysql://me:s3cret@db:x/plants", "mysq://me:s3cret@db/plants", "s3cret"]
        {
            assert!(!shown(url).contains("s3cret"), "{}", shown(url));
        }
    }

    #[test]
    fn a_file_is_named_with_or_without_slashes() {
        for (url, file) in [
            ("sqlite:plants.sqlite", "plants.sqlite"),
            ("sqlite://plants.sqlite", "plants.sqlite"),
            ("sqlite:///var/lib/plants.sqlite", "/var/lib/plants.sqlite"),
            ("sqlite:/var/lib/plants.sqlite", "/var/lib/plants.sqlite"),
        ] {
            assert_eq!(shown(url), format!("SQLite file {file}"));
        }
        assert!(shown("sqlite::memory:").contains("MemoryStore"));
    }
}
