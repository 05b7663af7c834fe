//! Everything a peer can do wrong, in one enum with stable reason codes. `docs/errors/` has a page for each.

/// Why a message of a peer was refused. Nothing was changed by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The signature does not fit.
    #[error("the signature does not fit the bytes as sent")]
    BadSignature,
    /// The deltas do not give the root that the header signs.
    #[error("the body does not fit the root, count or length that the header signs")]
    BodyMismatch,
    /// The certificate is valid but not the one registered for the region.
    #[error("the certificate is not the one registered for this region")]
    CertificateUnknown,
    /// Another batch stands under this number.
    #[error("another batch stands at sequence {sequence}: the chain forks")]
    ChainFork {
        /// Where the chains part.
        sequence: u32,
    },
    /// Batches before this one are missing.
    #[error("batches are missing: sequence {expected} comes next")]
    ChainGap {
        /// What comes next.
        expected: u32,
    },
    /// A copy of the node uses its identity.
    #[error("the session token is old: a copy of this node is running")]
    Cloned,
    /// The epoch does not take batches any more.
    #[error("the epoch is closed; the open one is {open}")]
    EpochClosed {
        /// The open epoch.
        open: u32,
    },
    /// The epoch was never given out.
    #[error("the epoch was never given out; the open one is {open}")]
    EpochUnknown {
        /// The open epoch.
        open: u32,
    },
    /// Signed freshness or release has run out.
    #[error("the signed statement expired")]
    Expired,
    /// The header has fields outside their range.
    #[error("the header is outside the limits: {field}")]
    HeaderLimits {
        /// Which field.
        field: &'static str,
    },
    /// The hub was restored and waits for an operator.
    #[error("the hub was restored from an older copy and takes nothing until an operator confirms")]
    IntakeStopped,
    /// The key was revoked.
    #[error("the signing key was revoked")]
    KeyRevoked,
    /// No key known by this id.
    #[error("signed with a key that is not registered")]
    KeyUnknown,
    /// A checkpoint or proof does not fit what was seen before.
    #[error("the hub's log is not a continuation of what this node saw")]
    LogInconsistent,
    /// The bytes are no such message.
    #[error("the bytes are no {what}")]
    Malformed {
        /// The message expected.
        what: &'static str,
    },
    /// A part does not fit its hash or length, or a slice its root or counts.
    #[error("the slice does not fit its signed manifest")]
    ManifestMismatch,
    /// Signed for another purpose.
    #[error("the payload type is not {expected}")]
    PayloadType {
        /// The type expected.
        expected: &'static str,
    },
    /// Too much at once; try again after the delay.
    #[error("too much at once; try again in {retry_after_ms} ms")]
    Quota {
        /// Delay asked for.
        retry_after_ms: u64,
    },
    /// The region is suspended, or halted by a fork or a copy.
    #[error("the region is suspended")]
    Suspended,
    /// The one-time token is unknown, used up or expired.
    #[error("the enrolment token is unknown, used or expired")]
    TokenInvalid,
    /// The message speaks for another region than the certificate.
    #[error("the message is of another region than the certificate")]
    WrongRegion,
    /// An older version than the one held.
    #[error("the version is older than the one held")]
    Rollback,
    /// The protocol version is not spoken here.
    #[error("this protocol version is not spoken here; update to version {needed}")]
    ProtocolVersion {
        /// The version needed.
        needed: u32,
    },
    /// What was asked for is not here.
    #[error("there is no such {what} here")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
}

/// Every code, in the order of the variants.
pub const CODES: &[&str] = &[
    "BAD_SIGNATURE",
    "BODY_MISMATCH",
    "CERTIFICATE_UNKNOWN",
    "CHAIN_FORK",
    "CHAIN_GAP",
    "CLONED",
    "EPOCH_CLOSED",
    "EPOCH_UNKNOWN",
    "EXPIRED",
    "HEADER_LIMITS",
    "INTAKE_STOPPED",
    "KEY_REVOKED",
    "KEY_UNKNOWN",
    "LOG_INCONSISTENT",
    "MALFORMED",
    "MANIFEST_MISMATCH",
    "PAYLOAD_TYPE",
    "QUOTA",
    "SUSPENDED",
    "TOKEN_INVALID",
    "WRONG_REGION",
    "ROLLBACK",
    "PROTOCOL_VERSION",
    "NOT_FOUND",
];

impl Refusal {
    /// The stable reason code, as sent on the wire and named in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadSignature => "BAD_SIGNATURE",
            Self::BodyMismatch => "BODY_MISMATCH",
            Self::CertificateUnknown => "CERTIFICATE_UNKNOWN",
            Self::ChainFork { .. } => "CHAIN_FORK",
            Self::ChainGap { .. } => "CHAIN_GAP",
            Self::Cloned => "CLONED",
            Self::EpochClosed { .. } => "EPOCH_CLOSED",
            Self::EpochUnknown { .. } => "EPOCH_UNKNOWN",
            Self::Expired => "EXPIRED",
            Self::HeaderLimits { .. } => "HEADER_LIMITS",
            Self::IntakeStopped => "INTAKE_STOPPED",
            Self::KeyRevoked => "KEY_REVOKED",
            Self::KeyUnknown => "KEY_UNKNOWN",
            Self::LogInconsistent => "LOG_INCONSISTENT",
            Self::Malformed { .. } => "MALFORMED",
            Self::ManifestMismatch => "MANIFEST_MISMATCH",
            Self::PayloadType { .. } => "PAYLOAD_TYPE",
            Self::Quota { .. } => "QUOTA",
            Self::Suspended => "SUSPENDED",
            Self::TokenInvalid => "TOKEN_INVALID",
            Self::WrongRegion => "WRONG_REGION",
            Self::Rollback => "ROLLBACK",
            Self::ProtocolVersion { .. } => "PROTOCOL_VERSION",
            Self::NotFound { .. } => "NOT_FOUND",
        }
    }
}
