//! The only forms in which personal data may reach a log line, an error text or a screen.

use std::fmt;

/// A text shown by its last four characters at most: `••••1234`.
///
/// Shorter texts show nothing, so that a name is never shown whole.
pub struct Masked<'a>(pub &'a str);

/// Characters that stay readable at the end of a masked number.
const SHOWN: usize = 4;
/// Length from which the end is shown; below it the end would be too much of the whole.
const SHOWN_FROM: usize = 12;

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")?;
        let digits_only = self.0.bytes().all(|b| b.is_ascii_digit());
        if digits_only && self.0.len() >= SHOWN_FROM {
            f.write_str(&self.0[self.0.len() - SHOWN..])?;
        }
        Ok(())
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_end_of_a_number_and_nothing_of_a_name() {
        assert_eq!(Masked("5271010101909001").to_string(), "••••9001");
        assert_eq!(Masked("SITI AMINAH BINTI").to_string(), "••••");
        assert_eq!(Masked("1234").to_string(), "••••");
    }
}
