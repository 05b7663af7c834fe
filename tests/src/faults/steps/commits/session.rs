//! What a connection to PostgreSQL is at (PostgreSQL documentation, "Message Formats").

use std::collections::BTreeMap;

/// What is known of a connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Prepared statements by their names.
    prepared: BTreeMap<String, String>,
    /// Between BEGIN and its end.
    open: bool,
    /// What the transaction writes, in order.
    writes: Vec<String>,
}

/// Texts that end with a zero byte, one after the other.
fn texts(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
}

/// What a statement writes, as `INSERT batch`; `None`: nothing.
fn writes(statement: &str) -> Option<String> {
    let words: Vec<&str> =
        statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let at = words.iter().position(|word| ["INSERT", "UPDATE", "DELETE", "COPY"].contains(word))?;
    let table = words[at + 1..].iter().find(|word| !["INTO", "FROM"].contains(word))?;
    Some(format!("{} {table}", words[at]))
}

impl Session {
    /// The transaction that ends with this message of the hub, if it wrote anything.
    pub(super) fn ends(&mut self, kind: u8, bytes: &[u8]) -> Option<String> {
        let mut texts = texts(bytes);
        match kind {
            b'P' => {
                let (name, text) = (texts.next()?, texts.next()?);
                self.prepared.insert(name, text);
                None
            }
            b'B' => {
                let statement = self.prepared.get(&texts.nth(1)?)?.clone();
                self.runs(&statement);
                None
            }
            b'Q' => {
                let statement = texts.next()?;
                self.runs(&statement);
                self.closes(&statement)
            }
            // The end of a statement without a transaction of its own.
            b'S' if !self.open => self.take(),
            _ => None,
        }
    }

    fn runs(&mut self, statement: &str) {
        if statement.starts_with("BEGIN") {
            (self.open, self.writes) = (true, Vec::new());
        }
        if let Some(write) = writes(statement)
            && !self.writes.contains(&write)
        {
            self.writes.push(write);
        }
    }

    fn closes(&mut self, statement: &str) -> Option<String> {
        if statement.starts_with("ROLLBACK") {
            (self.open, self.writes) = (false, Vec::new());
        }
        if statement.starts_with("COMMIT") {
            self.open = false;
        }
        if self.open { None } else { self.take() }
    }

    fn take(&mut self) -> Option<String> {
        let writes = std::mem::take(&mut self.writes);
        (!writes.is_empty()).then(|| writes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_known_by_what_it_writes() {
        assert_eq!(writes("INSERT INTO batch (region) VALUES ($1)").as_deref(), Some("INSERT batch"));
        assert_eq!(writes("WITH a AS (SELECT 1) UPDATE head SET b = 1").as_deref(), Some("UPDATE head"));
        assert_eq!(writes("SELECT a FROM b FOR UPDATE").as_deref(), None);
        let mut session = Session::default();
        assert_eq!(session.ends(b'P', b"s1\0INSERT INTO batch VALUES ($1)\0\0\0"), None);
        assert_eq!(session.ends(b'Q', b"BEGIN\0"), None);
        for _ in 0..2 {
            assert_eq!(session.ends(b'B', b"\0s1\0rest"), None);
            assert_eq!(session.ends(b'S', b""), None, "a transaction is open");
        }
        assert_eq!(session.ends(b'Q', b"COMMIT\0").as_deref(), Some("INSERT batch"));
        assert_eq!(session.ends(b'B', b"\0s1\0rest"), None);
        assert_eq!(session.ends(b'S', b"").as_deref(), Some("INSERT batch"), "without a transaction");
        assert_eq!(session.ends(b'S', b""), None);
    }
}
