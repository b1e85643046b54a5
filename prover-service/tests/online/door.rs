//! Readers at the door over gRPC.

use rand::rngs::OsRng;
use vouchsafe_access::door::Parcel;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::record::{FieldValue, Tier, Value};
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::units::Height;
use vouchsafe_prover_service::client::{ClientError, OpenWish};
use vouchsafe_prover_service::operator::{Command, GrantOrder};
use vouchsafe_prover_service::trail::trail;

use super::people::{caller, done, hospital_node, in_an_hour, now, operate, party, record, rules};

fn wish(record: RecordId, tier: u8, purpose: &str) -> OpenWish {
    OpenWish { record, tier, purpose: purpose.to_owned(), emergency: false, reason: String::new() }
}

fn order(name: &str, tier: u8) -> GrantOrder {
    GrantOrder {
        party: name.parse().unwrap(),
        tier,
        purpose: "TREAT".to_owned(),
        until: in_an_hour(),
        schemas: vec!["patient".to_owned()],
        subject: None,
    }
}

#[test]
fn a_doctor_opens_what_her_grant_covers_and_nothing_else() {
    let world = hospital_node("door-online", 1);
    let (doctor, other) =
        (party(&world, "dr-ada", &[PartyRole::Reader]), party(&world, "dr-bob", &[PartyRole::Reader]));
    let channel = world.connect();
    let patient = record(&world, &builtin::patient());
    let open =
        |secrets, wish: &OpenWish| world.block_on(caller(&world, secrets).open(&channel, wish, now(), &mut OsRng));
    let refused = |outcome: Result<Vec<Vec<u8>>, ClientError>| match outcome {
        Err(ClientError::Refused(text)) => assert_eq!(text, "not permitted"),
        other => panic!("{other:?}"),
    };
    refused(open(&doctor, &wish(patient, 4, "TREAT")));
    let grant = done(&world, Command::Grant(order("dr-ada", 3)))["grant"].as_str().unwrap().parse().unwrap();

    let parcels = open(&doctor, &wish(patient, 3, "TREAT")).unwrap();
    let parcel = Parcel::from_json(&parcels[0]).unwrap();
    let opened = parcel.open(&doctor, patient, &rules(&world), now()).unwrap();
    assert!(opened.fields.iter().all(|(index, _)| opened.schema.field_at(*index).unwrap().tier <= Tier::Limited));
    let (gender, _) = opened.schema.field("gender").unwrap();
    let gender = opened.fields.iter().find(|(index, _)| *index == gender).unwrap();
    assert!(matches!(&gender.1, FieldValue::Present(Value::Code(code)) if code == "female" || code == "male"));
    assert!(parcel.open(&other, patient, &rules(&world), now()).is_err(), "it is sealed to her key");

    // each of these is told the same
    refused(open(&doctor, &wish(patient, 4, "TREAT")));
    refused(open(&doctor, &wish(patient, 3, "HPAYMT")));
    refused(open(&doctor, &wish(record(&world, &builtin::condition()), 3, "TREAT")));
    refused(open(&other, &wish(patient, 3, "TREAT")));
    let nobody = RecordId::of(vouchsafe_circuits::Commitment::new(vouchsafe_circuits::Fe::from_u64(7)));
    refused(open(&doctor, &wish(nobody, 3, "TREAT")));
    done(&world, Command::Revoke { grant });
    refused(open(&doctor, &wish(patient, 3, "TREAT")));

    let lines = trail(world.node.institution(), Height::new(1)).unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, ["grant", "release", "revocation"]);
    let opened = lines[1].opened.as_ref().unwrap();
    assert_eq!((opened.reader.as_str(), opened.tier, opened.outcome), ("dr-ada", 3, "released"));
    assert_eq!(opened.records, [patient.to_string()]);
}

#[test]
fn a_call_is_taken_once() {
    use vouchsafe_prover_service::proto::records_client::RecordsClient;
    use vouchsafe_prover_service::proto::{OpenRequest, open_request};
    use vouchsafe_prover_service::server::OPEN;
    let world = hospital_node("door-replay", 1);
    let doctor = party(&world, "dr-ada", &[PartyRole::Reader]);
    done(&world, Command::Grant(order("dr-ada", 3)));
    let patient = record(&world, &builtin::patient());
    let message = OpenRequest {
        what: Some(open_request::What::Record(patient.commitment().fe().as_bytes().to_vec())),
        tier: 3,
        purpose: "TREAT".to_owned(),
        ..OpenRequest::default()
    };
    let call = caller(&world, &doctor).sign(OPEN, &message, now(), &mut OsRng);
    let mut client = RecordsClient::new(world.connect());
    assert_eq!(world.block_on(client.open(call.clone())).unwrap().into_inner().parcels.len(), 1);
    let again = world.block_on(client.open(call.clone())).unwrap_err();
    assert_eq!(again.code(), tonic::Code::AlreadyExists);
    // a payload under somebody else's signature, and for another method
    let mut altered = caller(&world, &doctor).sign(OPEN, &message, now(), &mut OsRng);
    altered.payload[40] ^= 1;
    assert_eq!(world.block_on(client.open(altered)).unwrap_err().code(), tonic::Code::Unauthenticated);
    let other = caller(&world, &doctor).sign("/vouchsafe.v1.Prover/Ask", &message, now(), &mut OsRng);
    assert_eq!(world.block_on(client.open(other)).unwrap_err().code(), tonic::Code::Unauthenticated);
}

#[test]
fn breaking_the_glass_reports_itself_and_shuts_the_door_until_reviewed() {
    let world = hospital_node("door-emergency", 1);
    let nurse = party(&world, "nurse-eve", &[PartyRole::Reader, PartyRole::Emergency]);
    let patient = record(&world, &builtin::patient());
    let channel = world.connect();
    let open = |wish: &OpenWish| world.block_on(caller(&world, &nurse).open(&channel, wish, now(), &mut OsRng));
    let emergency = OpenWish { emergency: true, reason: "unconscious".into(), ..wish(patient, 4, "ETREAT") };
    assert!(matches!(open(&OpenWish { purpose: "TREAT".into(), ..emergency.clone() }), Err(ClientError::Refused(_))));
    assert!(matches!(open(&OpenWish { reason: String::new(), ..emergency.clone() }), Err(ClientError::Refused(_))));
    let parcels = open(&emergency).unwrap();
    let parcel = Parcel::from_json(&parcels[0]).unwrap();
    let opened = parcel.open(&nurse, patient, &rules(&world), now()).unwrap();
    assert_eq!(opened.fields.len(), builtin::patient().fields().len());

    let told = done(&world, Command::Emergencies {});
    let one = &told["emergencies"][0];
    assert_eq!((one["reason"].as_str(), one["reviewed"].as_bool()), (Some("unconscious"), Some(false)));
    let id = one["emergency"].as_str().unwrap().parse().unwrap();
    let review = |id| Command::Review {
        emergency: id,
        reviewer: "dr-head".parse().unwrap(),
        justified: true,
        words: "seen".to_owned(),
    };
    done(&world, review(id));
    assert_eq!(done(&world, Command::Emergencies {})["emergencies"][0]["reviewed"], true);
    assert_eq!(operate(&world, review(id)).status, 1, "once");
    let lines = trail(world.node.institution(), Height::new(1)).unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| (line.kind, line.accepted)).collect();
    assert_eq!(kinds, [("emergency", true), ("review", true), ("review", false)]);
}

/// A vault that hands out another value under the same commitment: caught by whoever recomputes it.
#[test]
fn a_parcel_that_was_changed_on_the_way_does_not_open() {
    let world = hospital_node("door-changed", 1);
    let doctor = party(&world, "dr-ada", &[PartyRole::Reader]);
    done(&world, Command::Grant(order("dr-ada", 4)));
    let patient = record(&world, &builtin::patient());
    let channel = world.connect();
    let parcels =
        world.block_on(caller(&world, &doctor).open(&channel, &wish(patient, 4, "TREAT"), now(), &mut OsRng)).unwrap();
    let honest: serde_json::Value = serde_json::from_slice(&parcels[0]).unwrap();
    // every text and number in it, changed one at a time
    let mut places = Vec::new();
    collect(&honest, &mut Vec::new(), &mut places);
    assert!(places.len() > 20, "{}", places.len());
    for place in places {
        let mut changed = honest.clone();
        let spot = place.iter().fold(&mut changed, |at, step| match step {
            Step::Key(key) => &mut at[key.as_str()],
            Step::Nth(n) => &mut at[*n],
        });
        alter(spot);
        let Ok(parcel) = Parcel::from_json(&serde_json::to_vec(&changed).unwrap()) else { continue };
        assert!(parcel.open(&doctor, patient, &rules(&world), now()).is_err(), "{place:?}");
    }
    // control: unchanged it opens
    let parcel = Parcel::from_json(&parcels[0]).unwrap();
    assert!(parcel.open(&doctor, patient, &rules(&world), now()).is_ok());
}

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Nth(usize),
}

fn collect(json: &serde_json::Value, path: &mut Vec<Step>, places: &mut Vec<Vec<Step>>) {
    match json {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                path.push(Step::Key(key.clone()));
                collect(value, path, places);
                path.pop();
            }
        }
        serde_json::Value::Array(all) => {
            for (nth, value) in all.iter().enumerate() {
                path.push(Step::Nth(nth));
                collect(value, path, places);
                path.pop();
            }
        }
        serde_json::Value::String(_) | serde_json::Value::Number(_) => places.push(path.clone()),
        _ => {}
    }
}

/// Another character in the middle, another number: of the same form, mostly.
fn alter(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::String(text) => {
            let at = text.len() / 2;
            let with = if text.as_bytes().get(at) == Some(&b'a') { 'b' } else { 'a' };
            if text.is_empty() {
                text.push('a');
            } else if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &with.to_string());
            }
        }
        serde_json::Value::Number(number) => *json = (number.as_u64().unwrap_or(0) + 1).into(),
        _ => {}
    }
}
