//! A record's life: a newer version takes the place of the older one, entered in error takes it away.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::story::{ask_about, prove};
use crate::program::{vouch, write};
use crate::scene;

fn glucose(version: &str, value: i64, status: &str) -> Json {
    json!({
        "resourceType": "Observation", "id": "glucose", "meta": {"versionId": version}, "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2024-03-01T10:00:00Z",
        "valueQuantity": {"value": value, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    })
}

struct Ward {
    data: std::path::PathBuf,
    subject: &'static str,
}

impl Ward {
    fn home(&self) -> &Path {
        self.data.parent().unwrap()
    }

    fn ingest(&self, resource: &Json) -> Json {
        let patient = json!({"resourceType": "Patient", "id": "p", "birthDate": "1984-05-17",
            "identifier": [{"system": "https://ward.example", "value": "1"}]});
        let entries = json!([{ "resource": patient }, { "resource": resource }]);
        let file = write(
            self.home(),
            "bundle.json",
            &json!({"resourceType": "Bundle", "type": "collection", "entry": entries}),
        );
        vouch("ingest --json --data {} {}", &[&self.data, &file]).exits(0).json()
    }

    /// Asks, has it proved, verifies; the status of the first that does not end well.
    fn asks(&self, predicate: &str) -> i32 {
        let (trust, request) = (self.data.join("trust.json"), self.home().join("request.json"));
        let evidence = self.home().join("evidence.json");
        ask_about("observation", &trust, predicate, &request).exits(0);
        match prove(&self.data, &request, self.subject, &evidence).status {
            Some(0) => vouch("verify {} --request {} --trust {}", &[&evidence, &request, &trust]).status.unwrap(),
            status => status.unwrap(),
        }
    }
}

#[test]
fn a_newer_version_amends_and_entered_in_error_withdraws() {
    let (data, _) = scene::found("versions");
    let ward = Ward { data, subject: "https://ward.example|1" };
    let (low, high) = ("code == \"2339-0\" && value < 120", "code == \"2339-0\" && value >= 120");
    let counts = |report: &Json| {
        assert_eq!(report["errors"], json!([]));
        ["added", "amended", "withdrawn", "unchanged", "older"].map(|what| report[what].as_u64().unwrap())
    };

    assert_eq!(counts(&ward.ingest(&glucose("1", 90, "final"))), [2, 0, 0, 0, 0]);
    assert_eq!((ward.asks(low), ward.asks(high)), (0, 1));
    assert_eq!(counts(&ward.ingest(&glucose("1", 90, "final"))), [0, 0, 0, 2, 0]);

    assert_eq!(counts(&ward.ingest(&glucose("2", 150, "amended"))), [0, 1, 0, 1, 0]);
    assert_eq!((ward.asks(low), ward.asks(high)), (1, 0), "the fact flips");
    assert_eq!(counts(&ward.ingest(&glucose("1", 90, "final"))), [0, 0, 0, 1, 1], "the older version comes late");
    assert_eq!((ward.asks(low), ward.asks(high)), (1, 0), "and changes nothing");

    assert_eq!(counts(&ward.ingest(&glucose("3", 150, "entered-in-error"))), [0, 0, 1, 1, 0]);
    assert_eq!((ward.asks(low), ward.asks(high)), (1, 1), "nothing is left to prove it with");
    assert_eq!(counts(&ward.ingest(&glucose("3", 150, "entered-in-error"))), [0, 0, 0, 2, 0]);
}
