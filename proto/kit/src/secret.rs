//! Passwords that an operator wrote on the command line, in the address of a database: no message says them again, wherever
//! the address was written and whatever the message is about.

/// What stands in the place of a password.
const HIDDEN: &str = "…";
/// An option of an address that is its password.
const OPTION: &str = "password=";
/// Letters from which a password is hidden wherever it stands; a shorter one would take the words apart.
const ALONE: usize = 4;

/// A message for an operator, without the passwords of this process's command line.
pub fn masked(text: &str) -> String {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    hidden(text, words.iter().map(String::as_str))
}

/// A message without the passwords in these words.
fn hidden<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> String {
    let secrets = words.flat_map(secrets).filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| {
        // As a text in quotes is written.
        let quoted = format!("{secret:?}");
        [secret, &quoted[1..quoted.len() - 1]].into_iter().fold(text, |text, secret| {
            if secret.chars().count() >= ALONE {
                return text.replace(secret, HIDDEN);
            }
            let text = text.replace(&format!(":{secret}@"), &format!(":{HIDDEN}@"));
            text.replace(&format!("{OPTION}{secret}"), &format!("{OPTION}{HIDDEN}"))
        })
    })
}

/// What is or may be a password in a word: addresses are mistyped, too.
fn secrets(word: &str) -> Vec<&str> {
    let options = word.split(['?', '&', ';']).filter_map(|option| option.strip_prefix(OPTION));
    let mut found: Vec<&str> = options.collect();
    let Some((account, _)) = word.rsplit_once('@').filter(|_| !std::path::Path::new(word).exists()) else {
        return found;
    };
    // An option may be behind its name: `--mapping=mysql://…`.
    match account.split_once("//") {
        Some((_, account)) => found.extend(account.split_once(':').map(|(_, password)| password)),
        None => found.extend(
            account
                .split_once(':')
                .map(|(_, rest)| rest.split_once(':').map_or(rest, |(_, password)| password)),
        ),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_said_again() {
        for word in [
            "mysql://pembaca:Rahasia9@10.0.0.5/opensid",
            "mysql//pembaca:Rahasia9@10.0.0.5/opensid",
            "mysql:/pembaca:Rahasia9@10.0.0.5/opensid",
            "mysql:pembaca:Rahasia9@10.0.0.5/opensid",
            "oracle:pembaca/Rahasia9@10.0.0.5",
            "pembaca:Rahasia9@10.0.0.5",
            "--mapping=mysql://pembaca:Rahasia9@10.0.0.5/opensid",
            "postgres://10.0.0.5/satudata?user=a&password=Rahasia9&sslmode=disable",
            "sqlserver://10.0.0.5;password=Rahasia9",
            "mysql://pembaca:Ra@ha:sia/Rahasia9@10.0.0.5/opensid",
            "mysql://pembaca:Rahasia9\"@10.0.0.5/opensid",
        ] {
            for told in [format!("{word}: tidak ada"), format!("{word:?}"), word.replacen("//", "/", 1)] {
                let shown = hidden(&told, [word].into_iter());
                assert!(!shown.contains("asia") && shown.contains("10.0.0.5"), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_password_stays() {
        let told = "mysql://a:b@h/d: basis data tidak ada";
        assert_eq!(hidden(told, ["mysql://a:b@h/d"].into_iter()), told.replace(":b@", ":…@"));
        for word in ["mysql://pembaca@h/d", "warga.csv", "https://hub.contoh.id:7444", "2026-11-01"] {
            assert_eq!(hidden(word, [word].into_iter()), word);
        }
    }
}
