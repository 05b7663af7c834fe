//! Why a rulebook cannot be used, in the words of who loads it.

use dtsen_proto::{limits::MAX_RULEBOOK_BYTES, rulebook::RulebookError};

/// What is wrong, where, and what to do.
pub fn explain(error: &RulebookError) -> String {
    match error {
        RulebookError::TooLarge => {
            format!("lebih besar dari {} MiB", MAX_RULEBOOK_BYTES / (1 << 20))
        }
        RulebookError::Compression(_) | RulebookError::Container(_) => {
            "berkas ini bukan bundel buku aturan, atau rusak; buat dengan: dtsen-central rulebook export"
                .into()
        }
        RulebookError::Toml { file, line, source } => {
            format!("{file} baris {line}: {}", source.message())
        }
        RulebookError::Line { file, line, why } => format!("{file} baris {line}: {}", line_fault(why)),
        RulebookError::Inconsistent(why) => {
            format!("isinya tidak cocok satu sama lain atau dengan program ini: {why}")
        }
    }
}

fn line_fault(why: &'static str) -> &'static str {
    match why {
        "no tab" => "kode dan nama dipisahkan satu tab",
        "no Kemendagri code" => "bukan kode Kemendagri, misalnya 52.71.01.1004",
        "no name" => "nama kosong atau berisi karakter kendali (akhir baris harus LF)",
        "name too long" => "nama terlalu panjang",
        "not sorted" => "tidak urut menurut kode, atau kodenya muncul dua kali",
        "parent missing" => "wilayah di atasnya tidak ada di berkas ini",
        "columns unlike the heading" => "jumlah kolomnya lain dari baris judul (pemisah harus koma)",
        "no heading kode_bps,kode_dagri" => "baris judul harus memuat kode_bps dan kode_dagri, dipisah koma",
        "no BPS code" => "bukan kode BPS (2, 4, 7, atau 10 angka)",
        other => other,
    }
}
