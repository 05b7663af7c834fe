//! Whose a column is. Another person's is never the person's own; one who may be the person is, where nobody is named more
//! plainly.

use super::heading::Role;

/// NIK and name of those who may be the person, the likeliest first.
const DEPUTIES: [(Role, Role); 3] = [
    (Role::NikPenerima, Role::NamaPenerima),
    (Role::NikPengurus, Role::NamaPengurus),
    (Role::NikKepala, Role::NamaKepala),
];

/// The roles that stand for the person's NIK or name in a table that has these, and for which.
pub(crate) fn deputies(has: impl Fn(Role) -> bool) -> Vec<(Role, Role)> {
    let (nik, nama) = (has(Role::Nik), has(Role::Nama));
    // A number is theirs whose name stands beside it, and a name theirs whose number does.
    let stands = |(its_nik, its_nama): (Role, Role)| match (nik, nama) {
        (true, true) => false,
        (true, false) => has(its_nama) && !has(its_nik) && its_nama != Role::NamaKepala,
        (false, true) => its_nik == Role::NikPenerima && has(its_nik) && !has(its_nama),
        // A list of families, a row each; with relations it would be one of their members.
        (false, false) if its_nik == Role::NikKepala => has(its_nik) && !has(Role::Hubungan),
        (false, false) => has(its_nik) || has(its_nama),
    };
    let deputy = DEPUTIES.into_iter().find(|deputy| stands(*deputy));
    let roles =
        deputy.into_iter().flat_map(|(its_nik, its_nama)| [(its_nik, Role::Nik), (its_nama, Role::Nama)]);
    roles.filter(|(its, own)| has(*its) && !has(*own)).collect()
}

/// Roles that are nobody's if they stand for nobody.
pub(super) fn is_deputy(role: Role) -> bool {
    matches!(
        role,
        Role::NikPenerima | Role::NamaPenerima | Role::NikPengurus | Role::NamaPengurus | Role::NikKepala
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_stands_for_the_person_where_nobody_else_is_named() {
        use Role::{
            Hubungan, Nama, NamaKepala, NamaPenerima, NamaPengurus, Nik, NikKepala, NikPenerima, NikPengurus,
        };
        for (roles, expected) in [
            (&[Nik, Nama, NikKepala, NamaKepala, NikPengurus][..], &[][..]),
            (&[Nik, NamaPengurus], &[(NamaPengurus, Nama)]),
            (&[Nik, NamaKepala], &[]),
            // Whose the number is that stands beside the name of another is not known.
            (&[Nama, NikPengurus], &[]),
            (&[Nama, NikKepala], &[]),
            (&[Nama, NikPenerima], &[(NikPenerima, Nik)]),
            (&[Nama, NikPenerima, NamaPenerima], &[]),
            (&[NikKepala, NamaKepala], &[(NikKepala, Nik), (NamaKepala, Nama)]),
            (&[NikKepala, NamaKepala, Hubungan], &[]),
            (
                &[NikKepala, NamaKepala, NikPenerima, NamaPenerima],
                &[(NikPenerima, Nik), (NamaPenerima, Nama)],
            ),
            (&[NikKepala, NamaPengurus], &[(NamaPengurus, Nama)]),
        ] {
            assert_eq!(deputies(|role| roles.contains(&role)), expected, "{roles:?}");
        }
    }
}
