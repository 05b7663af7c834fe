//! TLS 1.3 only, Ed25519 certificates of the hub's own authority, no session resumption.

use std::{fmt, sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
    server::{ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
    time_provider::TimeProvider,
    version::TLS13,
};
use sha2::{Digest, Sha256};

use crate::ambient::Ambient;

/// What HTTP/2 is called inside TLS.
const ALPN: &[u8] = b"h2";
/// Prefix of the name of a region in its certificate; SPIFFE's form.
pub const REGION_URI: &str = "spiffe://dtsen/pemda/";

/// TLS material that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// rustls refused it.
    #[error("the TLS keys or certificates cannot be used")]
    Rustls(#[from] rustls::Error),
    /// The verifier could not be built.
    #[error("the certificate authority cannot be used")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// rcgen refused it.
    #[error("the certificate or its request cannot be made or read")]
    Certificate(#[from] rcgen::Error),
}

/// A private key with the certificates that vouch for it, leaf first.
#[derive(Debug)]
pub struct Identity {
    /// PKCS#8, DER.
    pub key: Vec<u8>,
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
}

impl Identity {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.iter().map(|der| CertificateDer::from(der.clone())).collect()
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()))
    }
}

/// The clock that certificates are judged by.
struct Time(Ambient);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.now_ms()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now)))
    }
}

fn time(ambient: &Ambient) -> Arc<dyn TimeProvider> {
    Arc::new(Time(ambient.clone()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(authority: &[u8]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec()))?;
    Ok(Arc::new(roots))
}

/// A new Ed25519 key, PKCS#8.
pub fn new_key() -> Result<Vec<u8>, TlsError> {
    Ok(KeyPair::generate_for(&PKCS_ED25519)?.serialize_der())
}

/// A request for a certificate for a key. The hub fills in the name; only the key and the proof of it count.
pub fn request(key: &[u8]) -> Result<Vec<u8>, TlsError> {
    let pair = KeyPair::try_from(key)?;
    Ok(CertificateParams::new(Vec::new())?.serialize_request(&pair)?.der().to_vec())
}

/// SHA-256 of a certificate.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// What a server shows.
pub fn shown(identity: &Identity) -> Result<Arc<CertifiedKey>, TlsError> {
    Ok(Arc::new(CertifiedKey::from_der(identity.chain(), identity.key(), &provider())?))
}

/// A server; with `clients`, only clients with a certificate of that authority are let in.
pub fn server(
    identity: Arc<dyn ResolvesServerCert>,
    clients: Option<&[u8]>,
    ambient: &Ambient,
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder =
        ServerConfig::builder_with_details(provider(), time(ambient)).with_protocol_versions(&[&TLS13])?;
    let builder = match clients {
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider()).build()?,
        ),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(identity);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// A client of a server whose authority is pinned.
pub fn client(
    authority: &[u8],
    identity: &Identity,
    ambient: &Ambient,
) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_details(provider(), time(ambient))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots(authority)?)
        .with_client_auth_cert(identity.chain(), identity.key())?;
    Ok(finish(config))
}

/// A client that has no certificate yet and knows only the fingerprint of the authority.
pub fn enrolling_client(
    authority_fingerprint: [u8; 32],
    ambient: &Ambient,
) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_details(provider(), time(ambient))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedAuthority { fingerprint: authority_fingerprint }))
        .with_no_client_auth();
    Ok(finish(config))
}

fn finish(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// Accepts a server whose chain ends in the one authority that the enrolment token names.
#[derive(Debug)]
struct PinnedAuthority {
    fingerprint: [u8; 32],
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let authority =
            intermediates.iter().find(|c| fingerprint(c) == self.fingerprint).ok_or_else(unknown)?;
        let roots = roots(authority).map_err(|_| unknown())?;
        WebPkiServerVerifier::builder_with_provider(roots, provider())
            .build()
            .map_err(|_| unknown())?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
