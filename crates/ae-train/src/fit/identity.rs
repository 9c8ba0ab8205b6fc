//! The identity of a run: everything that determines its results, as JSON, and nothing else. A run resumes from a
//! checkpoint of the same identity only.

use ae_models::tensors;
use burn::module::Module;
use serde_json::{Map, Value, json};

use super::task::Task;
use crate::{Batches, Result, Schedule};

/// The identity of a run.
pub(super) fn of<M: Module, T: Task<M>>(
    model: &M,
    task: &T,
    schedule: &Schedule,
    training: &Batches,
    validation: Option<&Batches>,
) -> Result<Value> {
    let data = json!({
        "training": training.fingerprint()?,
        "validation": validation.map(Batches::fingerprint).transpose()?,
    });
    let mut identity = task.identity(model);
    identity.insert("parameters".to_owned(), json!(tensors::shapes(model)));
    identity.insert("schedule".to_owned(), schedule.identity());
    identity.insert("data".to_owned(), data);
    Ok(Value::Object(identity))
}

/// The first difference between two identities: its path with the value in `mine`, and the value in `its`. A
/// missing value counts as null, so a new setting that is off changes no identity.
pub(super) fn difference(mine: &Value, its: &Value) -> Option<[String; 2]> {
    differ("", mine, its)
}

fn differ(path: &str, mine: &Value, its: &Value) -> Option<[String; 2]> {
    let none = Map::new();
    let (my, their) = match (mine, its) {
        (Value::Object(my), Value::Object(their)) => (my, their),
        (Value::Object(my), Value::Null) => (my, &none),
        (Value::Null, Value::Object(their)) => (&none, their),
        _ if mine == its => return None,
        _ => return Some([format!("{path} {mine}"), its.to_string()]),
    };
    let theirs = their.keys().filter(|key| !my.contains_key(*key));
    my.keys().chain(theirs).find_map(|key| {
        let at = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or_default();
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        differ(&path, &at(my), &at(their))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let mine = json!({ "a": 1, "b": { "c": [1, 2], "d": null }, "e": { "f": null } });
        assert_eq!(difference(&mine, &mine), None);
        for (its, expected) in [
            (json!({ "a": 2, "b": { "c": [1, 2] } }), Some(["a 1", "2"])),
            (json!({ "a": 1, "b": { "c": [1, 3] } }), Some(["b.c [1,2]", "[1,3]"])),
            (json!({ "a": 1 }), Some(["b.c [1,2]", "null"])),
            (json!({ "a": 1, "b": { "c": [1, 2], "d": "x" } }), Some(["b.d null", "\"x\""])),
            (json!({ "a": 1, "b": { "c": [1, 2] }, "g": 0.5 }), Some(["g null", "0.5"])),
            // A missing value is null.
            (json!({ "a": 1, "b": { "c": [1, 2] } }), None),
        ] {
            let expected = expected.map(|both| both.map(str::to_owned));
            assert_eq!(difference(&mine, &its), expected);
        }
    }
}
