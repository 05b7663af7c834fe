//! What columns tell of each other: whose NIK it is says the birth date beside it, and the other way round.

use std::{cmp::Reverse, collections::BTreeMap};

use dtsen_proto::nik::Parts;

use super::{
    ACTIVE, Guess, HALF, MOST, PERSONS,
    column::{Cells, is_name},
    words::{self, WORDS},
};
use crate::layout::heading::Role;

/// How sure agreement makes, and how unsure disagreement.
const AGREES: u8 = 85;
const DIFFERS: u8 = 35;
const PERHAPS: u8 = 45;
const HALF_SURE: u8 = 60;
const PROVEN_BY_SEX: u8 = 75;

/// The columns of a table, by their place, and what each seems to be for.
pub(super) struct Together<'a> {
    pub(super) keys: &'a [String],
    pub(super) cells: &'a [Cells<'a>],
    pub(super) guesses: &'a mut [Guess],
}

/// What the columns beside a column of numbers say of it: how many rows agree, in percent, and with which column.
struct Evidence {
    /// Its heading says that they are NIKs.
    named: bool,
    /// Its heading says that they are of families.
    family: bool,
    /// The date that agrees best.
    best: Option<(usize, usize)>,
    /// The date that is most likely one of birth.
    main: Option<(usize, usize)>,
    /// The sex.
    sex: Option<(usize, usize)>,
    /// Whether agreement in sex alone says anything.
    proves: bool,
}

impl Together<'_> {
    /// Compares everything that can be compared, and leaves one column for each role.
    pub(super) fn compare(&mut self) {
        let numbers: Vec<usize> = self.with(&[Role::Nik, Role::NoKk]).collect();
        let niks: BTreeMap<usize, Vec<Option<Parts>>> =
            numbers.iter().map(|at| (*at, self.cells[*at].niks())).collect();
        let proven = niks.iter().filter(|(at, niks)| self.number(**at, niks)).count();
        let sure = |at: &usize| self.guesses[*at].confidence >= ACTIVE;
        let rivals: Vec<usize> = self.with(&[Role::Nik]).filter(sure).collect();
        if rivals.len() > 1 && proven == 0 {
            for at in rivals {
                let guess = self.guesses[at].clone();
                self.guesses[at] =
                    guess.doubted(PERHAPS, "beberapa kolom NIK: tidak terbukti siapa orangnya");
            }
        }
        self.surest(Role::Nik);
        let chosen = self.with(&[Role::Nik]).find(|at| self.guesses[*at].confidence >= ACTIVE);
        self.births(chosen.and_then(|at| Some((at, niks.get(&at)?))));
        self.names();
        let roles: Vec<Role> = self.guesses.iter().filter_map(|guess| guess.role).collect();
        for role in roles {
            self.surest(role);
        }
    }

    fn with(&self, roles: &[Role]) -> impl Iterator<Item = usize> {
        let is = |guess: &Guess| guess.role.is_some_and(|role| roles.contains(&role));
        let places: Vec<usize> =
            self.guesses.iter().enumerate().filter(|(_, guess)| is(guess)).map(|(at, _)| at).collect();
        places.into_iter()
    }

    /// Columns of birth dates that may be those of the people of the rows.
    fn dates(&self) -> impl Iterator<Item = usize> {
        let all: Vec<usize> = self
            .with(&[Role::TanggalLahir, Role::TempatTanggalLahir])
            .filter(|at| words::others(&self.keys[*at]).is_none())
            .filter(|at| words::first(&WORDS.events, &self.keys[*at]).is_none())
            .collect();
        all.into_iter()
    }

    fn name(&self, at: usize) -> String {
        format!("kolom \"{}\"", self.keys[at])
    }

    /// Judges a column of numbers by dates and sexes beside it; whether they prove whose it is.
    fn number(&mut self, at: usize, niks: &[Option<Parts>]) -> bool {
        let before = &self.guesses[at];
        let sure = before.confidence >= ACTIVE;
        let said = |list| words::first(list, &self.keys[at]).is_some();
        if !sure && (words::others(&self.keys[at]).is_some() || (said(&WORDS.numbers) && !said(&WORDS.nik))) {
            return false;
        }
        let named = sure || said(&WORDS.nik);
        let dates = self.dates().filter(|date| named || !self.cells[*date].is_recent());
        let agrees: Vec<(usize, usize)> =
            dates.filter_map(|date| Some((self.cells[date].agrees(niks)?, date))).collect();
        let sexes = self.with(&[Role::JenisKelamin]).filter(|at| self.guesses[*at].confidence >= ACTIVE);
        let sex = sexes.into_iter().find_map(|at| Some((self.cells[at].agrees_in_sex(niks)?, at)));
        let is = |female| niks.iter().flatten().any(|nik| nik.female == female);
        let evidence = Evidence {
            named,
            family: said(&WORDS.kk),
            best: agrees.iter().max().copied(),
            main: agrees.iter().max_by_key(|(_, date)| self.guesses[*date].confidence).copied(),
            sex,
            // Where all are women, as mothers are, the sex says nothing.
            proves: is(true) && is(false) && !self.cells[at].is_numbered_lately(),
        };
        let guess = self.judged(before.clone(), &evidence);
        let cells = &self.cells[at];
        // Whose birth dates they carry may come again and again.
        let alike = evidence.best.is_some_and(|(share, _)| share >= MOST);
        let several = cells.filled().count() >= super::PAIRS_AT_LEAST && cells.different() < PERSONS;
        self.guesses[at] = if guess.role == Some(Role::Nik) && several && !alike {
            guess.doubted(DIFFERS, "nomor yang sama berulang: mungkin No. KK")
        } else {
            guess
        };
        alike || (evidence.proves && evidence.sex.is_some_and(|(share, _)| share >= MOST))
    }

    fn judged(&self, before: Guess, evidence: &Evidence) -> Guess {
        let agrees = |at| format!("cocok dengan {}", self.name(at));
        let only = |share, at| format!("hanya {share} % {}", agrees(at));
        let anothers = |share, at| format!("{}: mungkin NIK orang lain", only(share, at));
        match (before.role, evidence.best, evidence.main, evidence.sex) {
            (Some(Role::NoKk), Some((MOST.., date)), ..) if evidence.family => {
                let why = format!("judulnya No. KK, tetapi {}: mungkin NIK", agrees(date));
                Guess::of(Role::Nik, PERHAPS, why)
            }
            (Some(Role::NoKk), Some((MOST.., date)), ..) => {
                Guess::of(Role::Nik, AGREES, format!("16 angka, {}", agrees(date)))
            }
            (Some(Role::NoKk), ..) => before,
            (_, Some((MOST.., date)), _, sex) => {
                let of = if evidence.named { &before.why } else { "16 angka" };
                let why = format!("{of}; {}", agrees(date));
                let guess = Guess { confidence: before.confidence.max(AGREES), why, ..before };
                match sex {
                    // Of two people in a row, whose sex stands there too?
                    Some((share @ ..PERSONS, at)) => guess.doubted(HALF_SURE, &only(share, at)),
                    _ => guess,
                }
            }
            (_, _, Some((share @ ..HALF, date)), _)
                if self.guesses[date].confidence >= ACTIVE || !evidence.named =>
            {
                before.doubted(DIFFERS, &anothers(share, date))
            }
            (.., Some((share @ ..PERSONS, at))) => before.doubted(DIFFERS, &anothers(share, at)),
            (.., Some((MOST.., at))) if evidence.proves && before.confidence < ACTIVE => {
                Guess::of(Role::Nik, PROVEN_BY_SEX, format!("16 angka, {}", agrees(at)))
            }
            _ => before,
        }
    }

    /// Judges the dates by the NIK that was chosen. A NIK that was doubted because of a date casts doubt on neither more.
    fn births(&mut self, chosen: Option<(usize, &Vec<Option<Parts>>)>) {
        let Some((nik, niks)) = chosen else { return };
        for at in self.dates().collect::<Vec<_>>() {
            let before = self.guesses[at].clone();
            self.guesses[at] = match self.cells[at].agrees(niks) {
                Some(MOST..) => {
                    let why = format!("{}; cocok dengan {}", before.why, self.name(nik));
                    Guess { confidence: before.confidence.max(AGREES), why, ..before }
                }
                Some(share @ ..HALF) => {
                    let differs = format!("hanya {share} % cocok dengan NIK di {}", self.name(nik));
                    before.doubted(DIFFERS, &differs)
                }
                _ => before,
            };
        }
    }

    /// Of several columns that merely look like names none is sure; an address under "nama" makes the names elsewhere doubtful.
    fn names(&mut self) {
        let unsure = |guess: &Guess| guess.confidence >= ACTIVE && guess.confidence < 60;
        let alike: Vec<usize> = self.with(&[Role::Nama]).filter(|at| unsure(&self.guesses[*at])).collect();
        if alike.len() > 1 {
            for at in alike {
                let guess = self.guesses[at].clone();
                self.guesses[at] = guess.doubted(PERHAPS, "beberapa kolom mirip nama");
            }
        }
        let lies = self
            .with(&[Role::Nama])
            .any(|at| self.guesses[at].confidence < PERHAPS && self.cells[at].like(Role::Nama) < HALF);
        for at in self.with(&[Role::Alamat]).collect::<Vec<_>>() {
            if lies && self.cells[at].share(is_name) >= MOST {
                let guess = self.guesses[at].clone();
                self.guesses[at] =
                    guess.doubted(PERHAPS, "isinya mirip nama, kolom nama tidak: mungkin tertukar");
            }
        }
    }

    /// One role stands above one column: the surest; of equals what is nobody else's, then the name beside the NIK, then the
    /// first.
    fn surest(&mut self, role: Role) {
        if role == Role::Lain {
            return;
        }
        let own = |at: &usize| words::others(&self.keys[*at]).is_none();
        let nik = self.with(&[Role::Nik]).next().filter(|_| role == Role::Nama);
        let away = |at: &usize| Reverse(nik.map_or(0, |nik| nik.abs_diff(*at)));
        let rank = |at: &usize| (self.guesses[*at].confidence, own(at), away(at), Reverse(*at));
        let Some(best) = self.with(&[role]).max_by_key(rank) else { return };
        for at in self.with(&[role]).collect::<Vec<_>>() {
            if at != best {
                let before = &self.guesses[at];
                let taken = format!("peran ini sudah dipakai {}", self.name(best));
                let why = if before.confidence < ACTIVE { format!("{}; {taken}", before.why) } else { taken };
                self.guesses[at] = Guess::none(why);
            }
        }
    }
}
