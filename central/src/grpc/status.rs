//! Refusals as gRPC statuses: code, stable reason, retry advice. The one place.

use std::{collections::HashMap, time::Duration};

use dtsen_proto::refusal::Refusal;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{intake::Fault, store::StoreError};

/// Domain of the reasons in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "dtsen";
/// Delay when the hub itself is in trouble.
const RETRY: Duration = Duration::from_secs(2);

/// The status of a fault.
pub fn from_fault(fault: Fault) -> Status {
    match fault {
        Fault::Refused(refusal) => from_refusal(&refusal),
        Fault::Store(error) => from_store(&error),
    }
}

/// The status of a refusal.
pub fn from_refusal(refusal: &Refusal) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(refusal.code(), DOMAIN, metadata(refusal));
    if let Refusal::Quota { retry_after_ms } = refusal {
        details.set_retry_info(Some(Duration::from_millis(*retry_after_ms)));
    }
    Status::with_error_details(code(refusal), refusal.to_string(), details)
}

/// The status of a failing store. What failed stays in the log.
pub fn from_store(error: &StoreError) -> Status {
    tracing::error!(error = %dtsen_kit::telemetry::chain(error), "the store failed");
    let mut details = ErrorDetails::new();
    details.set_retry_info(Some(RETRY));
    Status::with_error_details(Code::Unavailable, "the hub's store does not answer", details)
}

fn code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::BadSignature
        | Refusal::CertificateUnknown
        | Refusal::KeyRevoked
        | Refusal::KeyUnknown
        | Refusal::TokenInvalid => Code::Unauthenticated,
        Refusal::WrongRegion | Refusal::Suspended | Refusal::Cloned => Code::PermissionDenied,
        Refusal::BodyMismatch
        | Refusal::HeaderLimits { .. }
        | Refusal::Malformed { .. }
        | Refusal::PayloadType { .. }
        | Refusal::ManifestMismatch => Code::InvalidArgument,
        Refusal::ChainFork { .. } | Refusal::LogInconsistent => Code::DataLoss,
        Refusal::ChainGap { .. }
        | Refusal::EpochClosed { .. }
        | Refusal::EpochUnknown { .. }
        | Refusal::Expired
        | Refusal::Rollback
        | Refusal::ProtocolVersion { .. }
        | Refusal::IntakeStopped => Code::FailedPrecondition,
        Refusal::Quota { .. } => Code::ResourceExhausted,
        Refusal::NotFound { .. } => Code::NotFound,
    }
}

fn metadata(refusal: &Refusal) -> HashMap<String, String> {
    let pair = match refusal {
        Refusal::ChainFork { sequence } => Some(("sequence", sequence.to_string())),
        Refusal::ChainGap { expected } => Some(("expected", expected.to_string())),
        Refusal::EpochClosed { open } | Refusal::EpochUnknown { open } => Some(("open", open.to_string())),
        Refusal::HeaderLimits { field } => Some(("field", (*field).to_owned())),
        Refusal::ProtocolVersion { needed } => Some(("needed", needed.to_string())),
        _ => None,
    };
    pair.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
