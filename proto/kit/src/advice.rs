//! What an operator can do about an error of the database: the driver's own words are for programmers.

use std::error::Error;

use sqlx::{error::DatabaseError as _, sqlite::SqliteError};

const IN_USE: &str = "basis data sedang dipakai proses lain; tunggu sampai selesai, lalu ulangi";
const FULL: &str = "cakram penuh; kosongkan lalu ulangi, yang sudah tersimpan tetap ada";
const LOST: &str = "sambungan ke basis data terputus; periksa servernya, lalu ulangi: yang sudah tersimpan tetap ada, dan yang diulang tidak menjadi dua";

/// Advice about the last database error in the chain of causes, if there is any.
pub fn advice(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let causes = std::iter::successors(Some(error), |error| Error::source(*error));
    causes.filter_map(|cause| of(cause.downcast_ref()?)).last()
}

fn of(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Database(told) => match told.try_downcast_ref::<SqliteError>() {
            Some(told) => of_sqlite(told.code()?.parse().ok()?),
            None => of_server(&told.code()?),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Some(LOST),
        sqlx::Error::Tls(_) => Some("server basis data menolak TLS; periksa sslmode dan sertifikatnya"),
        _ => None,
    }
}

/// SQLite's result codes (sqlite.org/rescode.html).
fn of_sqlite(code: i32) -> Option<&'static str> {
    // The low byte is the kind, the rest says where in SQLite.
    Some(match code & 0xff {
        5 | 6 => IN_USE,
        7 => "memori habis; tutup program lain atau tambah memori, lalu ulangi",
        10 => "cakram gagal membaca atau menulis; periksa cakram, ulangi, lalu jalankan perintah verify",
        11 | 26 => {
            "berkas basis data rusak; jalankan perintah doctor, atau pulihkan dari cadangan dengan restore"
        }
        13 => FULL,
        14 | 23 => "berkas basis data tidak dapat dibuka; periksa pemilik dan izinnya",
        8 => "basis data hanya dapat dibaca; periksa pemasangan cakram dan izinnya",
        _ => return None,
    })
}

/// PostgreSQL's SQLSTATE (its documentation, appendix A).
fn of_server(state: &str) -> Option<&'static str> {
    Some(match (state, state.get(..2)?) {
        ("53100", _) => FULL,
        ("57P01" | "57P02" | "57P03", _) | (_, "08") => LOST,
        ("3D000", _) => "basis data itu tidak ada di servernya; buat dulu, atau perbaiki alamatnya",
        ("42501", _) => "akun basis data tidak berhak; beri hak atas basis data itu, lalu ulangi",
        ("53300", _) => {
            "server basis data tidak menerima sambungan lagi; tambah max_connections, lalu ulangi"
        }
        (_, "28") => "server basis data menolak nama atau kata sandi; periksa alamatnya",
        (_, "40") | ("55P03", _) => IN_USE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;

    async fn fails(address: &str, statements: &'static str) -> sqlx::Error {
        let mut conn = SqliteConnection::connect(address).await.expect("opens");
        sqlx::raw_sql(statements).execute(&mut conn).await.expect_err("an error")
    }

    #[tokio::test]
    async fn a_full_disk_and_a_damaged_file_are_told_to_operators() {
        let full =
            "CREATE TABLE a (b BLOB); PRAGMA max_page_count = 10; INSERT INTO a VALUES (zeroblob(100000))";
        let error = fails("sqlite::memory:", full).await;
        assert!(advice(&error).expect("advice").contains("cakram penuh"));
        let program = std::env::current_exe().expect("this program, which is no database");
        let error = fails(&format!("sqlite:{}?mode=ro", program.display()), "SELECT * FROM a").await;
        assert!(advice(&error).expect("advice").contains("rusak"));
        assert!(advice(&std::io::Error::other("of something else")).is_none());
    }

    #[test]
    fn a_server_that_goes_or_refuses_is_told_to_operators() {
        let gone = sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        assert_eq!(advice(&gone), Some(LOST));
        assert_eq!(of_server("57P01"), Some(LOST));
        assert_eq!(of_server("08006"), Some(LOST));
        assert!(of_server("28P01").expect("advice").contains("kata sandi"));
        assert_eq!(of_server("23505"), None, "a fault of ours");
    }
}
