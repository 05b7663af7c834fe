//! Words that names are put together from, by flavour.

/// The words of one flavour.
#[derive(Debug)]
pub(super) struct Flavour {
    pub(super) men: &'static [&'static str],
    pub(super) women: &'static [&'static str],
    pub(super) men_second: &'static [&'static str],
    pub(super) women_second: &'static [&'static str],
    /// Before the name, part of it.
    pub(super) men_titles: &'static [&'static str],
    pub(super) women_titles: &'static [&'static str],
}

#[rustfmt::skip]
pub(super) static ARABIC: Flavour = Flavour {
    men: &[
        "MUHAMMAD", "MOHAMAD", "MUH", "AHMAD", "ACHMAD", "ABDULLAH", "ABDURRAHMAN", "IBRAHIM", "ISMAIL",
        "YUSUF", "SAIFUL", "SYAIFUL", "HASAN", "HUSAIN", "UMAR", "USMAN", "ALI", "IDRIS", "ILHAM", "RIDWAN",
        "FAUZAN", "NURDIN", "ZAINUDDIN", "JAMALUDDIN", "SALEH", "HAMZAH", "ANWAR", "BURHAN", "RAHMAT",
        "SULAIMAN", "MUSTAFA", "KAMIL", "FARHAN", "RIZKY", "FAJAR", "HIDAYAT", "TAUFIK", "IQBAL", "LUKMAN",
        "MAHMUD",
    ],
    women: &[
        "SITI", "NUR", "FATIMAH", "AISYAH", "KHADIJAH", "AMINAH", "HALIMAH", "MARYAM", "ZAINAB", "ROHANI",
        "NURHAYATI", "NURUL", "NURAINI", "RAHMAWATI", "SALMAH", "SAKINAH", "HASANAH", "MASITAH", "JAMILAH",
        "LATIFAH", "FITRIANI", "RAMLAH", "SAODAH", "SAFIAH", "RUKAYAH", "SUMIATI", "HAJRAH", "MARIANA",
        "YULIANA", "ASMAWATI", "ZAHRA", "NABILA", "SALSABILA", "KHAIRUNNISA", "HIKMAH", "MUNAWARAH",
        "RAUDAH", "SABARIAH", "WAHIDAH", "AZIZAH",
    ],
    men_second: &[
        "RAHMAN", "HAKIM", "AZIZ", "FIRDAUS", "RAMADHAN", "MAULANA", "SYAHPUTRA", "EFENDI", "HIDAYATULLAH",
        "ANSHARI", "FADLI", "ARIFIN", "JAUHARI", "MA'RUF", "AL-FARIZI", "SUBHAN", "KARIM", "MUNIR", "HALIM",
        "JAELANI",
    ],
    women_second: &[
        "HIDAYATI", "RAHMI", "JANNAH", "AMALIA", "LESTARI", "MAULIDA", "RAMADHANI", "FADILAH", "HASNAH",
        "ULFAH", "MARLINA", "SA'DIAH", "KHASANAH", "AINI", "SAFITRI", "OKTAVIA", "MUFIDAH", "QOMARIAH",
        "ISLAMIAH", "NISA",
    ],
    men_titles: &[],
    women_titles: &[],
};

#[rustfmt::skip]
pub(super) static SASAK: Flavour = Flavour {
    men: &[
        "SAHNUN", "MUHSAN", "AMINULLAH", "SAPARWADI", "KAMARUDIN", "MASNUN", "SUHAIMI", "JUNAIDI", "MAHSUN",
        "RUSLAN", "HAERUDIN", "SAHABUDIN", "MUHIBBIN", "NASRUDIN", "SUPARDI", "RAMLI", "MUSTAAN", "SAHRIL",
        "MARJAN", "SUDIRMAN", "HAMDI", "JALALUDIN", "MUNAWIR", "AMAQ", "ZULKIFLI", "PATHURRAHMAN",
        "WIRAJAYA", "JAYADI",
    ],
    women: &[
        "SAKNAH", "INAQ", "MURNIATI", "RUMENAH", "SERIMAH", "HURIAH", "MARIAH", "SUHAINI", "JUMINAH",
        "SENAH", "RAEHANUN", "MAHNIM", "NURMINAH", "SAREAH", "ISMAYANI", "ROHAENI", "MISNAWATI", "SARIATUN",
        "NURIATI", "HULWANI", "ERNAWATI", "LINDAYANI", "PUTRIANI", "MELIANA", "SUHARTINI", "RIANTINI",
        "YUNIARTI", "HANDAYANI", "DWIANA",
    ],
    men_second: &[
        "WIRA", "PUTRA", "JAYA", "ISKANDAR", "HADI", "KUSUMA", "GUNAWAN", "HAMZANWADI", "WATHONI", "ASHARI",
        "MAHENDRA", "SAPUTRA", "RAKHMAN", "HASBI", "ZULHAKIM", "SANTOSA", "ADIPATI", "MAHYUDIN",
    ],
    women_second: &[
        "KUSUMA", "DEWI", "HANDAYANI", "AYU", "WAHYUNI", "SUSANTI", "PUSPITA", "ANGGRAINI", "SARI", "RATNA",
        "APRIANI", "ULANDARI", "MANDALIKA", "NINGRAT", "HARTINI", "JULIANTI",
    ],
    men_titles: &["LALU", "LALU", "GEDE", "RADEN"],
    women_titles: &["BAIQ", "BAIQ", "LALE", "DENDE"],
};

#[rustfmt::skip]
pub(super) static BALINESE: Flavour = Flavour {
    men: &[
        "SUDIRA", "SUARTANA", "ARTAWAN", "WIDIANA", "SUKERTA", "BUDIARTA", "MERTA", "SUDANA", "WIRAWAN",
        "ADNYANA", "PARTAMA", "SUWITRA", "DARMAYASA", "ARIAWAN", "MAHARDIKA", "SUKRAWAN", "YASA",
        "PUTRAYANA", "WINARTA",
    ],
    women: &[
        "SUARTINI", "ARTINI", "WIDIASIH", "SUKERTI", "MERTASARI", "SUDANI", "ARIANI", "PARWATI", "SUWITRI",
        "DARMAYANTI", "RAI", "MUDIASIH", "PUTRIAYU", "WARDANI", "SRIASIH", "WINARTI", "SUCI", "PURNAMI",
        "KARTINI",
    ],
    men_second: &[
        "WIJAYA", "PUTRA", "YOGA", "PRATAMA", "ADI", "SUTA", "DHARMA", "MANUABA", "GIRI", "WIRYA",
    ],
    women_second: &[
        "DEWI", "LESTARI", "PRATIWI", "SARI", "ASTUTI", "CAHYANI", "UTAMI", "SASIH", "MAHENI", "LAKSMI",
    ],
    men_titles: &["I MADE", "I WAYAN", "I NYOMAN", "I KETUT", "I GEDE", "I PUTU", "I KOMANG"],
    women_titles: &["NI LUH", "NI MADE", "NI WAYAN", "NI KETUT", "NI NYOMAN", "NI PUTU", "NI KOMANG"],
};

#[rustfmt::skip]
pub(super) static BUGIS: Flavour = Flavour {
    men: &[
        "BASO", "AMBO", "LAUPE", "MAPPASOMBA", "TENRI", "SULTAN", "PALLAWA", "MAKMUR", "RUSTAM", "HERMAN",
        "SYAMSUDDIN", "ARIFUDDIN", "BAHARUDDIN", "SALAHUDDIN", "TAJUDDIN", "AMIRUDDIN", "MUSTAMIN",
        "PAWENNARI", "SAWEDI", "SUDARMIN",
    ],
    women: &[
        "BESSE", "TENRI", "INDO", "HASNIATI", "NURSIAH", "SITTI", "MARWAH", "RAHMATIA", "SYAMSIAH",
        "ROSDIANA", "HERLINA", "NURBAYA", "MULIATI", "SUARNI", "DARMAWATI", "ISHAKA", "HASMIRA", "JUMRIANI",
        "KARTIKA", "SUKMAWATI",
    ],
    men_second: &[
        "PAWELLANGI", "MATTOLA", "PALINRUNGI", "SANUSI", "LATIF", "PATONGAI", "TAHIR", "MALLARANGAN", "NUR",
    ],
    women_second: &[
        "TENRIPADA", "RAHAYU", "ABENG", "NURFADILLAH", "RAMLI", "PADAULENG", "TAHIR", "ANGGUN", "SUCI",
    ],
    men_titles: &["ANDI", "ANDI", "DAENG"],
    women_titles: &["ANDI", "ANDI", "DAENG"],
};

#[rustfmt::skip]
pub(super) static GORONTALO: Flavour = Flavour {
    men: &[
        "RONI", "YUSRAN", "HARUN", "IWAN", "SUMARDI", "RAMDAN", "IRFAN", "SARLAN", "FERI", "RUDI", "ABAS",
        "DJAFAR", "OLIS", "SUKRI", "KASIM", "HAMID", "RISMAN", "NIXON", "ZULKIFLI", "YANTO", "WARDI",
    ],
    women: &[
        "HADIJAH", "SARTIN", "FATRA", "MERI", "YULIN", "SRIYANTI", "RAPIA", "HAWA", "SELVI", "RISNA",
        "NOVIYANTI", "FADLUN", "RATNI", "SURIYATI", "WIRNA", "ASNA", "LISPIN", "MARTIN", "NURNANINGSIH",
    ],
    men_second: &[
        "PAKAYA", "HULOPI", "TALIBO", "BILONDATU", "LAMUSU", "DUNGGIO", "TANGAHU", "OLII", "HIPPY", "YUNUS",
        "POLAPA", "MOOTALU", "KADIR", "DJAFAR", "ISA",
    ],
    women_second: &[
        "PAKAYA", "HULOPI", "TALIBO", "BILONDATU", "LAMUSU", "DUNGGIO", "TANGAHU", "OLII", "HIPPY", "YUNUS",
        "POLAPA", "MOOTALU", "KADIR", "DJAFAR", "ISA",
    ],
    men_titles: &[],
    women_titles: &[],
};

#[rustfmt::skip]
pub(super) static JAVANESE: Flavour = Flavour {
    men: &[
        "SUGENG", "SLAMET", "SUPRIYANTO", "WIDODO", "BAMBANG", "SUTRISNO", "TEGUH", "JOKO", "DJOKO", "AGUS",
        "SUPARMAN", "WAGIMIN", "PONIMAN", "TUKIMIN", "HERU", "EKO", "DWI", "TRI", "SUWARNO", "SUMARNO",
        "NGATIMIN", "PAIMAN", "WAHYU", "ADITYA", "BAYU", "DIMAS", "GALIH", "TRIYONO", "SURYADI", "SARTONO",
    ],
    women: &[
        "SRI", "SULASTRI", "SUMIYATI", "WAGINEM", "PONIYEM", "TUKINEM", "SUPARTI", "ENDANG", "RETNO", "DWI",
        "TRI", "WIWIK", "NINGSIH", "SARTINI", "LASMI", "PARTINAH", "SUWARTI", "NGATINAH", "RUMIYATI",
        "KARTINAH", "YULI", "INDAH", "RATIH", "DIAH", "WULAN", "TUTIK", "ANGGI", "RINI", "SUTINAH",
    ],
    men_second: &[
        "SANTOSO", "PRASETYO", "NUGROHO", "WIBOWO", "SETIAWAN", "PURNOMO", "SUSILO", "HARTONO", "RAHARJO",
        "UTOMO", "KURNIAWAN", "SAPUTRO", "WICAKSONO", "PAMUNGKAS", "SUGIARTO",
    ],
    women_second: &[
        "WAHYUNI", "LESTARI", "RAHAYU", "HANDAYANI", "UTAMI", "PURWANTI", "ASTUTI", "SETYOWATI",
        "WIDYASTUTI", "MARYATI", "SUPRIHATIN", "WULANDARI", "KUSUMAWATI", "PRIHATINI", "NINGTYAS",
    ],
    men_titles: &["R."],
    women_titles: &["RR."],
};

#[rustfmt::skip]
pub(super) static SUNDANESE: Flavour = Flavour {
    men: &[
        "ASEP", "DADANG", "UJANG", "CECEP", "DEDI", "ENDANG", "JAJANG", "TATANG", "YAYAT", "AEP", "NANA",
        "OTONG", "IWAN", "ENTIS", "KOMAR", "UNDANG", "DIDIN", "AGUS", "YANA", "ADE",
    ],
    women: &[
        "EUIS", "IIS", "NENENG", "CUCU", "IMAS", "TETI", "ELIS", "YATI", "ENUNG", "LILIS", "NINING", "IDA",
        "ROSITA", "ADE", "ENENG", "TITIN", "MIMIN", "WIWIN", "ATIKAH",
    ],
    men_second: &[
        "SUTISNA", "HERMAWAN", "SUPRIATNA", "KOSASIH", "SURYANA", "RUKMANA", "PERMANA", "HIDAYAT",
        "KARTIWA",
    ],
    women_second: &[
        "ROHAETI", "NURJANAH", "SUMARNI", "KURNIASIH", "KOMALASARI", "ROHAYATI", "MULYANI", "SUNARTI",
        "JULAEHA",
    ],
    men_titles: &[],
    women_titles: &[],
};

/// With a few letters that are not ASCII, as parish registers have them.
#[rustfmt::skip]
pub(super) static EASTERN: Flavour = Flavour {
    men: &[
        "YOHANES", "PETRUS", "YOSEF", "MARKUS", "STEFANUS", "DOMINGGUS", "ANDRÉ", "RENÉ", "MATIUS",
        "FRANSISKUS", "JOSÉ", "SILAS", "ALFONS", "BENYAMIN", "SEMUEL", "YAKOB", "LUKAS", "KORNELIS",
        "OKTOVIANUS", "MELKIANUS",
    ],
    women: &[
        "MARIA", "YULIANA", "MARTHA", "AGUSTINA", "THERESIA", "ADRIANA", "YOHANA", "DORKAS", "ORPA",
        "SELFIANA", "FRANSISKA", "RENÉE", "ELISABETH", "PAULINA", "MARGARETHA", "ANCE", "NAOMI", "REBEKA",
        "SARCE",
    ],
    men_second: &[
        "ADOE", "TEFA", "LAWALU", "MANU", "KOLO", "WENDA", "RUMBINO", "SAWAKI", "LENGKONG", "PATTI",
        "NAHAK",
    ],
    women_second: &[
        "ADOE", "TEFA", "LAWALU", "MANU", "KOLO", "WENDA", "RUMBINO", "SAWAKI", "LENGKONG", "PATTI",
        "NAHAK",
    ],
    men_titles: &[],
    women_titles: &[],
};
