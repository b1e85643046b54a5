//! A file that is wrong somewhere: the error names file, entry and path, and the rest is taken.

use serde_json::{Value as Json, json};

use crate::program::{vouch, write};
use crate::scene;

fn patient(id: &str) -> Json {
    json!({"resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1984-05-17"})
}

fn bundle(resources: &[Json]) -> Json {
    let entries: Vec<Json> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

#[test]
fn what_is_malformed_is_named_and_the_rest_is_taken() {
    let (data, _) = scene::found("malformed");
    let home = data.parent().unwrap();
    let mut wrong_type = patient("wrong-type");
    wrong_type["birthDate"] = json!(1984);
    let mut no_day = patient("no-day");
    no_day["birthDate"] = json!("1984-02-30");
    let mixed = bundle(&[patient("a"), wrong_type, patient("b"), no_day, patient("a")]);
    let mixed = write(home, "mixed.json", &mixed);
    let broken = home.join("broken.json");
    std::fs::write(&broken, "{\"resourceType\": \"Bundle\",").unwrap();
    let missing = home.join("missing.json");
    let good = write(home, "good.json", &bundle(&[patient("c")]));
    let receipts = home.join("receipts");
    let files = [&*data, &*receipts, &*broken, &*mixed, &*missing, &*good];
    let ran = vouch("ingest --json --data {} --receipts {} {} {} {} {}", &files).exits(1);
    let report = ran.json();
    let errors = report["errors"].as_array().unwrap();
    let of = |file: &std::path::Path| errors.iter().filter(|e| e["file"] == json!(file)).collect::<Vec<_>>();
    let broken = of(&broken);
    assert_eq!((broken.len(), &broken[0]["entry"], &broken[0]["path"]), (1, &Json::Null, &json!("$")), "{report}");
    assert!(broken[0]["why"].as_str().unwrap().contains("line 1"), "{report}");
    assert_eq!(of(&missing).len(), 1);
    let mixed = of(&mixed);
    for (entry, path) in [(1, "birthDate"), (3, "birthDate")] {
        let found = mixed.iter().filter(|e| e["entry"] == entry).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{report}");
        let named = found[0]["path"].as_str().unwrap();
        assert!(named.contains(path), "{report}");
        assert!(!found[0]["why"].as_str().unwrap().contains("1984-02-30"), "values stay out of logs: {report}");
    }
    assert!(mixed.iter().any(|e| e["entry"] == 4 || e["entry"] == 0), "the doubled id: {report}");
    assert_eq!(of(&good).len(), 0);
    assert!(report["added"].as_u64().unwrap() >= 2, "{report}");
    let receipts = std::fs::read_to_string(&receipts).unwrap();
    assert_eq!(receipts.lines().count() as u64, report["added"].as_u64().unwrap());
    // people read the same
    let ran = vouch("ingest --data {} {}", &[&data, home.join("mixed.json").as_path()]).exits(1);
    assert!(ran.out.contains("mixed.json, entry 1,") && ran.out.contains("birthDate"), "{ran:?}");
    assert!(ran.out.starts_with("0 added"), "{ran:?}");
}

#[test]
fn the_same_ids_from_another_source_are_other_records() {
    let (data, _) = scene::found("sources");
    let file = write(data.parent().unwrap(), "one.json", &patient("a"));
    for (source, added) in [("ward-a", 1), ("ward-a", 0), ("ward-b", 1), ("ward-b", 0)] {
        let line = format!("ingest --json --source {source} --data {{}} {{}}");
        assert_eq!(vouch(&line, &[&data, &file]).exits(0).json()["added"], added, "{source}");
    }
}
