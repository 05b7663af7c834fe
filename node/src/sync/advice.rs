//! What a refusal means for the operator of a node. `docs/errors/` says more.

/// What happened and what to do, by code; `None` for a code that this version does not know.
pub(super) fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "BAD_SIGNATURE" => "tanda tangan tidak cocok; bila berulang jalankan: dtsen-node verify",
        "BODY_MISMATCH" => {
            "isi kiriman tidak cocok dengan kepalanya; bila berulang jalankan: dtsen-node verify"
        }
        "CERTIFICATE_UNKNOWN" => "sertifikat node ini tidak terdaftar atau dicabut; hubungi petugas pusat",
        "CHAIN_FORK" => "rantai kiriman bercabang; jangan kirim apa pun, hubungi petugas pusat",
        "CHAIN_GAP" => "ada kiriman yang belum sampai; bila berulang hubungi petugas pusat",
        "CLONED" => "salinan node ini sedang berjalan; matikan salah satu lalu hubungi petugas pusat",
        "EPOCH_CLOSED" | "EPOCH_UNKNOWN" => {
            "nomor kiriman bukan dari masa yang terbuka; bila berulang hubungi petugas pusat"
        }
        "EXPIRED" => "masa berlakunya lewat; periksa jam komputer, bila benar hubungi petugas pusat",
        "HEADER_LIMITS" | "PAYLOAD_TYPE" | "PROTOCOL_VERSION" => {
            "versi node dan pusat tidak cocok; perbarui dtsen-node"
        }
        "INTAKE_STOPPED" => "pusat sedang dipulihkan dan belum menerima; tunggu petugas pusat",
        "KEY_REVOKED" => "kunci node ini dicabut; hubungi petugas pusat, lalu daftarkan lagi",
        "KEY_UNKNOWN" => {
            "ditandatangani dengan kunci yang tidak dikenal; hubungi petugas pusat lewat telepon"
        }
        "LOG_INCONSISTENT" => "log pusat bukan lanjutan dari yang pernah dilihat; hubungi pengawas",
        "MALFORMED" => "isinya bukan yang seharusnya; perbarui dtsen-node, bila tetap hubungi petugas pusat",
        "MANIFEST_MISMATCH" => "irisan tidak cocok dengan tanda tangannya; yang lama tetap dipakai",
        "NOT_FOUND" => "yang diminta tidak ada di pusat; coba lagi nanti",
        "QUOTA" => "pusat sedang sibuk; coba lagi nanti",
        "ROLLBACK" => {
            "irisan atau buku aturan yang ditawarkan lebih tua; yang ada tetap dipakai, hubungi petugas pusat"
        }
        "SUSPENDED" => "daerah ini dihentikan oleh pusat; hubungi petugas pusat",
        "TOKEN_INVALID" => {
            "token pendaftaran tidak dikenal, sudah dipakai, atau kedaluwarsa; minta yang baru kepada petugas pusat"
        }
        "WRONG_REGION" => "bukan milik daerah ini; periksa apakah folder node tertukar (--home)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_with_advice() {
        for code in dtsen_proto::refusal::CODES {
            assert!(advice(code).is_some_and(|text| text.contains(';')), "{code}");
        }
        assert_eq!(advice("GENERATION"), None);
    }
}
