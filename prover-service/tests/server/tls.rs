//! Who may connect, and whose word counts.

use tonic::Code;
use tonic::transport::Channel;
use vouchsafe_prover_service::proto::HeightRef;
use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::server::PeerNames;

use super::pki::Authority;
use super::world::{OPERATOR, World, shared};

/// Whether a call gets through.
fn works(world: &World, endpoint: tonic::transport::Endpoint) -> bool {
    world.block_on(async {
        let Ok(channel) = endpoint.connect().await else { return false };
        seal(channel).await.is_ok()
    })
}

async fn seal(channel: Channel) -> Result<u64, tonic::Status> {
    let seal = LedgerClient::new(channel).get_seal(HeightRef { height: None }).await?;
    Ok(seal.into_inner().height)
}

#[test]
fn a_client_needs_a_certificate_of_the_right_authority() {
    let world = shared();
    let stranger = Authority::new();
    assert!(!works(world, world.endpoint(None)), "without a certificate");
    assert!(!works(world, world.endpoint(Some(stranger.sign(OPERATOR).identity()))), "of another authority");
    // the control
    assert!(works(world, world.endpoint(Some(world.authority.sign("anybody.test").identity()))));
}

#[test]
fn a_client_sees_that_a_server_is_another() {
    let world = shared();
    let stranger = Authority::new();
    let tls = tonic::transport::ClientTlsConfig::new()
        .ca_certificate(stranger.certificate())
        .domain_name("localhost")
        .identity(world.authority.sign("anybody.test").identity());
    let endpoint = tonic::transport::Endpoint::from_shared(format!("https://{}", world.address)).unwrap();
    assert!(!works(world, endpoint.tls_config(tls).unwrap()));
}

#[test]
fn plaintext_gets_nothing() {
    let world = shared();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", world.address)).unwrap();
    assert!(!works(world, endpoint));
}

#[test]
fn names_are_those_of_the_certificate_letter_by_letter() {
    let authority = Authority::new();
    let names = |name: &str| {
        let pair = authority.sign(name);
        let (_, pem) = x509_parser::pem::parse_x509_pem(pair.certificate.as_bytes()).unwrap();
        PeerNames::in_certificate(&pem.contents)
    };
    let list = [OPERATOR.to_owned(), "Upper.Hospital.TEST".to_owned()];
    assert!(names(OPERATOR).is_one_of(&list));
    assert!(names("upper.hospital.test").is_one_of(&list));
    // a common name is no name, a wildcard stands for nobody, and a part is not the whole
    for other in ["other.test", "*.hospital.test", "ehr.hospital.test.evil", "hospital.test", "127.0.0.1"] {
        assert!(!names(other).is_one_of(&list), "{other}");
    }
    assert!(!PeerNames::in_certificate(b"not a certificate").is_one_of(&list));
    assert!(!PeerNames::default().is_one_of(&["".to_owned()]));
}

#[test]
fn without_a_known_name_no_records() {
    let world = shared();
    for (name, code) in [("other.test", Some(Code::PermissionDenied)), (OPERATOR, None)] {
        let outcome = super::records::commit(world, name, Vec::new());
        assert_eq!(outcome.err().map(|status| status.code()), code, "{name}");
    }
}
