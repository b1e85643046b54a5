//! Several parts and consent, as somebody at a shell asks, gives, takes back.

use serde_json::{Value as Json, json};

use super::story::prove;
use crate::program::{Ran, command, run, vouch, words, write};
use crate::scene;

const SUBJECT: &str = "https://ward.example|1";

#[test]
fn a_fact_with_identity_and_consent_from_the_shell() {
    let (data, _) = scene::found("consent-shell");
    let home = data.parent().unwrap();
    let file = |name: &str| home.join(name);
    let (trust, request, evidence) = (data.join("trust.json"), file("request.json"), file("evidence.json"));
    let patient = json!({"resourceType": "Patient", "id": "p", "birthDate": "1984-05-17",
        "identifier": [{"system": "https://ward.example", "value": "1"}]});
    let vaccine = json!({"resourceType": "Immunization", "id": "i", "status": "completed",
        "patient": {"reference": "Patient/p"}, "occurrenceDateTime": "2024-03-01",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]}});
    let entries = json!([{ "resource": patient }, { "resource": vaccine }]);
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    vouch("ingest --json --data {} {}", &[&data, &write(home, "bundle.json", &bundle)]).exits(0);

    let line =
        "request --json --issuer hospital --verifier insurer --purpose HPAYMT --with-consent --trust {} --out {}";
    let mut asked = words(line, &[&trust, &request]);
    let rest = ["--schema", "immunization", "--where", "cvx == \"140\"", "--and", "patient: birthDate <= yearsAgo(18)"];
    asked.extend(rest.map(Into::into));
    let said = run(command(asked)).exits(0).json();
    assert_eq!(said["statements"], json!(["fact-1", "fact-1", "fact-4"]));
    let consent = "decision == \"permit\" && recipient == \"insurer\" && purpose == \"HPAYMT\"";
    assert_eq!(said["where"], json!(["cvx == \"140\"", "birthDate <= yearsAgo(18)", consent]));

    let consent = |words: &str, more: &[&str]| -> Ran {
        let mut line: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        line.extend(["--json", "--data", data.to_str().unwrap(), "--subject", SUBJECT].map(str::to_owned));
        line.extend(["--recipient", "insurer", "--purpose", "HPAYMT"].map(str::to_owned));
        line.extend(more.iter().map(|word| (*word).to_owned()));
        run(command(line))
    };
    let proved = || prove(&data, &request, SUBJECT, &evidence);
    assert!(proved().exits(1).json()["error"].as_str().unwrap().starts_with("not proved"));
    consent("consent give", &["--until", "2020-01-01"]).exits(0);
    proved().exits(1);
    let given = consent("consent give", &["--from", "2024-01-01"]).exits(0).json();
    assert_eq!(proved().exits(0).json()["parts"], 3);
    let verified = vouch("verify {} --request {} --trust {} --json", &[&evidence, &request, &trust]).exits(0).json();
    assert_eq!(verified["where"].as_array().map(Vec::len), Some(3));
    let taken: Json = consent("consent withdraw", &[]).exits(0).json();
    assert_eq!(taken, json!({"record": given["record"], "others": 0}));
    proved().exits(1);
    consent("consent withdraw", &[]).exits(1);
    consent("consent give", &["--from", "yesterday"]).exits(2);
    consent("consent give", &["--from", "2030-01-01", "--until", "2029-01-01"]).exits(1);

    for (and, why) in [
        ("patient gender", "write 'SCHEMA: EXPR'"),
        ("nothing: x > 1", "neither a built-in schema"),
        ("patient: shoeSize > 4", "no such field"),
    ] {
        let mut asked = words(line, &[&trust, &request]);
        asked.extend(["--schema", "immunization", "--where", "cvx == \"140\"", "--and", and].map(Into::into));
        let ran = run(command(asked)).exits(2);
        assert!(ran.err.contains(why), "{ran:?}");
    }
}
