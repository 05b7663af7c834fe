//! The hub's private certificate authority.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use dtsen_kit::tls::{self, Identity, REGION_URI, TlsError};
use dtsen_proto::{record::Day, region::Region};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls::{
    pki_types::{CertificateDer, CertificateSigningRequestDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::hub::Hub;

/// Days that a node's certificate lives; renewed after two thirds, so a node may be off for five days.
pub const NODE_DAYS: i32 = 14;
/// Days that a server certificate lives, and days after which it is made anew.
const SERVER_DAYS: i32 = 90;
const SERVER_RENEWAL_DAYS: i32 = 30;
/// Years that the authority lives.
const AUTHORITY_YEARS: i16 = 20;
/// Clocks of Pemda machines are off; certificates begin this many days ago.
const BACKDATED_DAYS: i32 = 2;

/// Signs certificates of nodes and of the hub's own listeners.
pub struct Authority {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

fn date(day: Day) -> (i32, u8, u8) {
    let date = day.date().expect("days near today");
    let small = |n: i8| u8::try_from(n).expect("positive");
    (i32::from(date.year()), small(date.month()), small(date.day()))
}

fn validity(params: &mut CertificateParams, today: Day, days: i32) {
    let (year, month, day) = date(Day(today.0 - BACKDATED_DAYS));
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(Day(today.0 + days));
    params.not_after = date_time_ymd(year, month, day);
}

impl Authority {
    /// A new authority of this name.
    pub fn create(name: &str, today: Day) -> Result<Self, TlsError> {
        let key = tls::new_key()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = distinguished(&format!("{name} CA"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        validity(&mut params, today, i32::from(AUTHORITY_YEARS) * 365);
        let certificate = params.self_signed(&KeyPair::try_from(key.as_slice())?)?.der().to_vec();
        Ok(Self { certificate, key })
    }

    /// From what was kept.
    pub fn load(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self { certificate, key }
    }

    /// The authority's certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The authority's key, PKCS#8 DER. Secret.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    fn issuer(&self) -> Result<Issuer<'_, KeyPair>, TlsError> {
        let key = KeyPair::try_from(self.key.as_slice())?;
        Ok(Issuer::from_ca_cert_der(&CertificateDer::from(self.certificate.as_slice()), key)?)
    }

    /// A certificate for a listener of the hub.
    pub fn server(&self, name: &str, today: Day, serial: [u8; 16]) -> Result<Identity, TlsError> {
        let key = tls::new_key()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name = distinguished(name);
        params.serial_number = Some(serial_number(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        validity(&mut params, today, SERVER_DAYS);
        let certificate = params.signed_by(&KeyPair::try_from(key.as_slice())?, &self.issuer()?)?;
        Ok(Identity { key, chain: vec![certificate.der().to_vec(), self.certificate.clone()] })
    }

    /// A certificate for a region's node. Of the request only the key counts; name and use are ours.
    pub fn node(
        &self,
        region: Region,
        csr: &[u8],
        today: Day,
        serial: [u8; 16],
    ) -> Result<Vec<u8>, TlsError> {
        let mut request =
            CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr))?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = distinguished(&region.to_string());
        params.subject_alt_names = vec![SanType::URI(region_uri(region).as_str().try_into()?)];
        params.serial_number = Some(serial_number(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        validity(&mut params, today, NODE_DAYS);
        request.params = params;
        Ok(request.signed_by(&self.issuer()?)?.der().to_vec())
    }
}

/// The certificate of the hub's own listeners. It is made anew after some weeks, and at once when the clock was set: a hub
/// that started with a wrong one would otherwise be refused by everybody until somebody started it again.
pub struct ServerIdentity {
    hub: Arc<Hub>,
    made: Mutex<(Day, Arc<CertifiedKey>)>,
}

impl ServerIdentity {
    /// Of this hub, from today.
    pub fn new(hub: Arc<Hub>) -> Result<Self, TlsError> {
        let today = Day::of_ms(hub.ambient.now_ms());
        let made = Mutex::new((today, Self::make(&hub, today)?));
        Ok(Self { hub, made })
    }

    fn make(hub: &Hub, today: Day) -> Result<Arc<CertifiedKey>, TlsError> {
        tls::shown(&hub.authority.server(&hub.name, today, hub.ambient.bytes())?)
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerIdentity")
    }
}

impl ResolvesServerCert for ServerIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let today = Day::of_ms(self.hub.ambient.now_ms());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !(made.0.0..made.0.0 + SERVER_RENEWAL_DAYS).contains(&today.0) {
            match Self::make(&self.hub, today) {
                Ok(key) => *made = (today, key),
                Err(error) => tracing::error!(%error, "the certificate of the listeners was not renewed"),
            }
        }
        Some(made.1.clone())
    }
}

fn serial_number(mut serial: [u8; 16]) -> SerialNumber {
    // Positive, as X.509 asks.
    serial[0] &= 0x7f;
    SerialNumber::from_slice(&serial)
}

fn distinguished(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// Name of a region in its certificate.
pub fn region_uri(region: Region) -> String {
    format!("{REGION_URI}{region}")
}

/// The region that a certificate names; `None` unless it names exactly one.
pub fn region_of(certificate: &[u8]) -> Option<Region> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    let [x509_parser::extensions::GeneralName::URI(uri)] = names.value.general_names.as_slice() else {
        return None;
    };
    uri.strip_prefix(REGION_URI)?.parse().ok()
}

/// Days until a certificate ends.
pub fn days_left(certificate: &[u8], now_ms: i64) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some((parsed.validity().not_after.timestamp() - now_ms / 1_000) / 86_400)
}
