//! Rows that name the RT, the RW or the dusun of the rows below, and nothing else: `RT 01`, `RT. 001 / RW. 004`, `DUSUN LOCO`.

use super::{find::Heading, heading::Role};
use crate::clean::address::{self, Area};

/// What such a row says, with nothing in it if that cannot be read; none if it is no such row. A text in the column of
/// addresses, or behind the names, goes on with the row above.
pub(super) fn of(heading: &Heading, line: &[String]) -> Option<Vec<(Role, String)>> {
    let mut filled = line.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let (at, text) = filled.next()?;
    let names = heading.column(Role::Nama).or_else(|| heading.column(Role::NamaKepala));
    let role = heading.roles.get(at).copied().flatten();
    let begins =
        matches!(role, None | Some(Role::Nama | Role::NamaKepala | Role::NoKk | Role::Nik | Role::Lain));
    if filled.next().is_some() || !begins || at > names.unwrap_or_default() {
        return None;
    }
    let Area { dusun, rw, rt } = address::area(text, names == Some(at))?;
    let said = [(Role::Dusun, dusun), (Role::Rw, rw), (Role::Rt, rt)];
    Some(said.into_iter().filter_map(|(role, text)| Some((role, text?))).collect())
}
