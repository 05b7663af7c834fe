//! Addresses of databases, shown without account and password.

use std::{fmt, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use sqlx::{ConnectOptions as _, mysql::MySqlConnectOptions, postgres::PgConnectOptions};

use super::SourceError;

/// An option of an address that is its password.
const PASSWORD: &str = "password=";
/// Schemes that are understood.
const SCHEMES: [&str; 5] = ["mysql", "mariadb", "postgres", "postgresql", "sqlite"];

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

/// Whether this text is the address of a database by its scheme.
pub fn is_address(text: &str) -> bool {
    let scheme = text.trim_start().split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| SCHEMES.contains(&scheme.as_str()))
}

/// Whether this text is no file, and may hold a password: it is not shown as it is.
pub fn is_secretive(text: &str) -> bool {
    let of_file = std::path::Path::new(text).exists();
    is_address(text) || text.contains("://") || !of_file && (text.contains('@') || text.contains("password="))
}

impl Address {
    /// Reads an address; the password may stand in it, or be given beside it.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, SourceError> {
        let wrong = || SourceError::Address(without_account(text));
        let (text, own) = without_password(text);
        let password = password.or(own.as_deref());
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.trim_start_matches("//").into()));
        }
        if !text.contains("://") {
            return Err(wrong());
        }
        if text.starts_with("postgres") {
            let mut options = PgConnectOptions::from_str(&text).map_err(|_| wrong())?;
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
        // A day that is kept as a moment is one where the server stands, not in UTC.
        Ok(Self::MySql(options.charset("utf8mb4").timezone(None).disable_statement_logging()))
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

/// An address for a message: account and options are left out.
pub fn without_account(text: &str) -> String {
    if !is_secretive(text) {
        return text.to_owned();
    }
    let scheme = text.trim_start().split(':').next().unwrap_or_default();
    let server = text.rsplit_once('@').or_else(|| text.split_once("://")).map_or("…", |(_, server)| server);
    format!("{scheme}://{}", server.split(['?', ';']).next().unwrap_or_default())
}

/// An address without its password, and the password.
pub fn without_password(origin: &str) -> (String, Option<String>) {
    let parted = origin.trim().split_once("://").filter(|_| is_address(origin));
    let Some((scheme, rest)) = parted else { return (origin.to_owned(), None) };
    let (account, server) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = account.split_once(':').unzip();
    let (server, options) = server.split_once('?').unwrap_or((server, ""));
    let (secret, options): (Vec<&str>, Vec<&str>) = options
        .split('&')
        .filter(|option| !option.is_empty())
        .partition(|option| option.starts_with(PASSWORD));
    let password = password.or_else(|| secret.first()?.strip_prefix(PASSWORD));
    let at = if account.is_empty() { "" } else { "@" };
    let mark = if options.is_empty() { "" } else { "?" };
    let scheme = scheme.to_ascii_lowercase();
    (
        format!("{scheme}://{}{at}{server}{mark}{}", user.unwrap_or(account), options.join("&")),
        password.map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned()),
    )
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
        for text in [
            "mysql:/a:rahasia@h/d",
            "mysql//a:rahasia@h/d",
            "mysql+pymysql://a:rahasia@h/d",
            "jdbc:mysql://h/d?user=a&password=rahasia",
            "sqlserver://h;password=rahasia",
            "oracle:a/rahasia@h",
        ] {
            let shown = without_account(text);
            assert!(is_secretive(text) && shown.contains('h') && !shown.contains("rahasia"), "{shown}");
        }
    }

    #[test]
    fn a_password_leaves_the_address() {
        let parted = |text| {
            let (origin, password) = without_password(text);
            (origin, password.unwrap_or_default())
        };
        assert_eq!(parted("mysql://a:r%40h@h/d"), ("mysql://a@h/d".into(), "r@h".into()));
        assert_eq!(parted("mysql://a@h/d"), ("mysql://a@h/d".into(), String::new()));
        assert_eq!(parted(" MySQL://a:b@h/d"), ("mysql://a@h/d".into(), "b".into()));
        let (of_option, rest) =
            ("postgres://a@h/d?password=r%40h&sslmode=disable", "postgres://a@h/d?sslmode=disable");
        assert_eq!(parted(of_option), (rest.into(), "r@h".into()));
        assert_eq!(parted("/data/a:b@c.xlsx"), ("/data/a:b@c.xlsx".into(), String::new()));
    }
}
