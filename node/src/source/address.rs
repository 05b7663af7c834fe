//! Addresses of databases, shown without account and password.

use std::{fmt, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use sqlx::{
    ConnectOptions as _, mysql::MySqlConnectOptions, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

use super::SourceError;

/// Where a database is.
#[derive(Clone)]
pub enum Address {
    /// MySQL or MariaDB.
    MySql(MySqlConnectOptions),
    /// PostgreSQL.
    Postgres(PgConnectOptions),
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// Whether this text means to be the address of a database.
pub fn is_address(text: &str) -> bool {
    ["mysql:", "mariadb:", "postgres:", "postgresql:", "sqlite:"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

impl Address {
    /// Reads an address; the password may stand in it, or be given beside it.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, SourceError> {
        let wrong = || SourceError::Address(without_account(text));
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.trim_start_matches("//").into()));
        }
        if text.starts_with("postgres") {
            let mut options = PgConnectOptions::from_str(text).map_err(|_| wrong())?;
            if let Some(password) = password {
                options = options.password(password);
            }
            let options = options.options([("default_transaction_read_only", "on")]);
            return Ok(Self::Postgres(options.disable_statement_logging()));
        }
        let text = text.replacen("mariadb:", "mysql:", 1);
        let mut options = MySqlConnectOptions::from_str(&text).map_err(|_| wrong())?;
        if let Some(password) = password {
            options = options.password(password);
        }
        Ok(Self::MySql(options.charset("utf8mb4").disable_statement_logging()))
    }
}

/// Server and database, nothing secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(at) => {
                write!(f, "MySQL {}:{}/{}", at.get_host(), at.get_port(), at.get_database().unwrap_or(""))
            }
            Self::Postgres(at) => {
                write!(
                    f,
                    "PostgreSQL {}:{}/{}",
                    at.get_host(),
                    at.get_port(),
                    at.get_database().unwrap_or("")
                )
            }
            Self::Sqlite(path) => write!(f, "SQLite {}", path.display()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address for a message: what stands before the `@` is left out.
pub fn without_account(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => text.to_owned(),
    }
}

/// An address without its password, and the password.
pub fn without_password(origin: &str) -> (String, Option<String>) {
    if !is_address(origin) {
        return (origin.to_owned(), None);
    }
    let Some((scheme, rest)) = origin.split_once("://") else { return (origin.to_owned(), None) };
    let Some((account, server)) = rest.rsplit_once('@') else { return (origin.to_owned(), None) };
    match account.split_once(':') {
        Some((user, password)) => (
            format!("{scheme}://{user}@{server}"),
            Some(percent_decode_str(password).decode_utf8_lossy().into_owned()),
        ),
        None => (origin.to_owned(), None),
    }
}

/// Opens read-only; the file must be there.
pub(super) fn sqlite(path: &std::path::Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        for (text, shown) in [
            ("mysql://pembaca:rahasia@10.0.0.5/opensid", "MySQL 10.0.0.5:3306/opensid"),
            ("mariadb://pembaca:rahasia@10.0.0.5:3307/opensid", "MySQL 10.0.0.5:3307/opensid"),
            ("postgres://pembaca:rahasia@host/satudata", "PostgreSQL host:5432/satudata"),
            ("sqlite:/data/desa.sqlite", "SQLite /data/desa.sqlite"),
        ] {
            let address = Address::parse(text, None).expect("an address");
            assert_eq!((address.to_string(), format!("{address:?}")), (shown.to_owned(), shown.to_owned()));
        }
        let error = Address::parse("mysql://a:rahasia@[", None).expect_err("no address").to_string();
        assert!(!error.contains("rahasia"), "{error}");
    }

    #[test]
    fn a_password_leaves_the_address() {
        let parted = |text| {
            let (origin, password) = without_password(text);
            (origin, password.unwrap_or_default())
        };
        assert_eq!(parted("mysql://a:r%40h@h/d"), ("mysql://a@h/d".into(), "r@h".into()));
        assert_eq!(parted("mysql://a@h/d"), ("mysql://a@h/d".into(), String::new()));
        assert_eq!(parted("/data/a:b@c.xlsx"), ("/data/a:b@c.xlsx".into(), String::new()));
    }
}
