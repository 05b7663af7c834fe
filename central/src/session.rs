//! Session tokens of a region: pure. They show that one node, and not a copy of it, speaks for the region.
//!
//! Every Hello gives a new token. Three are good at the next: the one given last, the one that was shown then (the
//! reply may have been lost), and the one that a repetition passed over (the repetition may have been an old message
//! that arrived late). A copy of a node falls behind these within two Hellos of the other.

mod token;

pub use self::token::Token;

/// Tokens of a region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Given last. Empty: the session is open, and the first node that says Hello has it.
    pub current: Vec<u8>,
    /// Shown when `current` was given.
    pub before: Vec<u8>,
    /// Given before, and passed over when an older one was shown again. Empty: none.
    pub other: Vec<u8>,
    /// Shown in a Hello that would have stopped the region. Only the same token a second time does.
    pub suspect: Vec<u8>,
}

impl Session {
    /// Open for the first node that says Hello.
    pub fn open() -> Self {
        Self::default()
    }

    /// A session that begins with a token.
    pub fn new(token: Vec<u8>) -> Self {
        Self { before: token.clone(), current: token, ..Self::default() }
    }

    /// Open again: the token that was given last is remembered for its number.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let last = if self.current.is_empty() { &self.before } else { &self.current };
        Self { before: last.clone(), ..Self::default() }
    }

    /// The last token that the region got, as far as this hub remembers.
    pub fn last(&self) -> Option<Token> {
        [&self.current, &self.before, &self.other].into_iter().filter_map(|token| Token::said(token)).max()
    }

    /// What the next one says.
    pub fn next(&self, generation: u64) -> Token {
        let number = self.last().map_or(0, |last| last.number) + 1;
        Token { generation, number }
    }

    /// Whether a node with this token may say Hello.
    pub fn admits(&self, shown: &[u8]) -> bool {
        let good = [&self.current, &self.before, &self.other];
        self.current.is_empty() || (!shown.is_empty() && good.iter().any(|token| *token == shown))
    }

    /// Whether calls after Hello are of the node that was greeted.
    pub fn holds(&self, shown: &[u8]) -> bool {
        !shown.is_empty() && (self.current == shown || self.other == shown)
    }

    /// After a Hello that showed `shown` and was given `fresh`.
    #[must_use]
    pub fn rotated(&self, shown: &[u8], fresh: Vec<u8>) -> Self {
        let repeated = self.before == shown && self.current != shown;
        let other = if repeated { self.current.clone() } else { Vec::new() };
        Self { current: fresh, before: shown.to_vec(), other, suspect: self.suspect.clone() }
    }

    /// Whether this token was shown before in a Hello that would have stopped the region; remembers it.
    ///
    /// A single such Hello may be an old message that a stalled hub process took up late.
    #[must_use]
    pub fn accuse(&self, shown: &[u8]) -> (bool, Self) {
        // Nothing shown is remembered too: no token is one byte long.
        let shown = if shown.is_empty() { &[0] } else { shown };
        (self.suspect == shown, Self { suspect: shown.to_vec(), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(n: u8) -> Vec<u8> {
        vec![n; 16]
    }

    #[test]
    fn a_lost_reply_costs_nothing() {
        let session = Session::new(token(1)).rotated(&token(1), token(2));
        assert!(session.admits(&token(1)) && session.admits(&token(2)));
        let again = session.rotated(&token(1), token(3));
        assert!(again.admits(&token(1)) && again.admits(&token(3)));
        assert!(again.admits(&token(2)), "the repetition may have been an old message");
        assert!(again.holds(&token(2)) && again.holds(&token(3)) && !again.holds(&token(1)));
        let settled = again.rotated(&token(2), token(4));
        assert!(!settled.admits(&token(1)));
    }

    #[test]
    fn a_copy_falls_behind() {
        let (mut session, mut copied) = (Session::new(token(1)), None);
        for n in 2..6 {
            session = session.rotated(&token(n - 1), token(n));
            copied = copied.or(Some(token(n - 1)));
        }
        let copied = copied.expect("a token");
        assert!(!session.admits(&copied));
        let (before, session) = session.accuse(&copied);
        let (again, _) = session.accuse(&copied);
        assert_eq!((before, again), (false, true));
        let (before, session) = session.accuse(&[]);
        let (again, _) = session.accuse(&[]);
        assert_eq!((before, again), (false, true), "without a token");
    }

    /// Two copies that speak in turn: one of them is stale after at most two Hellos of the other.
    #[test]
    fn copies_that_take_turns_are_found() {
        let mut session = Session::new(token(1));
        let mut held = [token(1), token(1)];
        for n in 2..8 {
            let at = usize::from(n % 2);
            if !session.admits(&held[at]) {
                return;
            }
            session = session.rotated(&held[at], token(n));
            held[at] = token(n);
        }
        panic!("both copies go on: {session:?}");
    }

    #[test]
    fn an_open_session_is_taken_once_and_an_empty_token_opens_nothing() {
        let session = Session::open();
        assert!(session.admits(&token(9)) && session.admits(&[]));
        assert!(!session.holds(&[]));
        let taken = session.rotated(&token(9), token(1));
        assert!(
            taken.admits(&token(1))
                && taken.admits(&token(9))
                && !taken.admits(&[])
                && !taken.admits(&token(8))
        );
    }
}
