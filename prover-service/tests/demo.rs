//! The demo: three facts proved, every attack refused, every control believed; with its own hospital and with files.

use serde_json::Value as Json;

use crate::cli::patients;
use crate::fixtures;
use crate::program::{command, run};

fn ends_well(figures: &Json) {
    let list = |name: &str| figures[name].as_array().unwrap_or_else(|| panic!("no {name}: {figures}")).clone();
    assert!(figures["records"].as_u64() > Some(0));
    let facts = list("facts");
    assert!(facts.len() >= 3, "{figures}");
    for fact in &facts {
        assert_eq!(fact["valid"], true, "{fact}");
        assert!(fact["where"].as_str().is_some_and(|text| !text.is_empty()), "{fact}");
        for figure in ["prove_ms", "verify_ms", "constraints"] {
            assert!(fact[figure].as_u64().is_some(), "{fact}");
        }
        let domain = if fact["statement"] == "fact-1" { 1 << 13 } else { 1 << 14 };
        assert!(fact["constraints"].as_u64() <= Some(domain), "{fact}");
    }
    let refusals = list("refusals");
    assert!(refusals.len() >= 6, "{figures}");
    for attempt in &refusals {
        assert_eq!(attempt["refused"], true, "{attempt}");
        assert!(attempt["why"].as_str().is_some_and(|text| !text.is_empty()), "{attempt}");
        if let Some(control) = attempt.get("control") {
            assert_eq!(control["accepted"], true, "{attempt}");
        }
    }
    let controls = refusals.iter().filter(|attempt| attempt.get("control").is_some()).count();
    assert!(controls >= 6, "{figures}");
}

#[test]
fn it_ends_well_with_its_own_hospital() {
    ends_well(&run(command(["demo", "--json", "--patients", "4"])).exits(0).json());
}

#[test]
fn it_ends_well_with_files_of_others() {
    let Some(fixtures) = fixtures::folder() else { return };
    let mut demo = command(["demo", "--json"]);
    demo.args(patients(&fixtures));
    let figures = run(demo).exits(0).json();
    ends_well(&figures);
    assert_eq!(figures["records"], 397);
}

#[test]
fn it_speaks_to_people() {
    let ran = run(command(["demo", "--patients", "2"])).exits(0);
    assert!(!ran.out.contains("ACCEPTED") && !ran.out.contains("STILL REFUSED"), "{}", ran.out);
    assert!(ran.out.contains("without the check Proof: it would have been believed"), "{}", ran.out);
}
