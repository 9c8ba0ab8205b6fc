//! A model on disk: weights as safetensors, with a header as JSON.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, TensorData};
use serde_json::Value;

use crate::tensors::{self, Tensors};
use crate::{Architecture, Component, Error, FromArchitecture, Header, Metadata, Result};

const FORMAT: u32 = 1;

/// Saves a model, or one half of it, as safetensors at `path`, with its header as a JSON file of the
/// same name (`model.safetensors`, `model.json`).
///
/// The header is also in the metadata of the weights, where [`load`] reads it, so a single rename
/// replaces header and weights together. The JSON file is for people, and for weights that another
/// program has saved without their metadata.
///
/// # Errors
/// If `path` does not end in `.safetensors`, or a file cannot be written. The weights on disk are then
/// still complete, either the old ones or the new ones.
pub fn save<M: FromArchitecture>(path: &Path, model: &M, metadata: &Metadata) -> Result<()> {
    if path.extension().is_none_or(|extension| extension != "safetensors") {
        // Another name could be that of the JSON file, or give two models the same JSON file.
        let expected = "a name that ends in .safetensors";
        return Err(Error::file(path, expected, format!("`{}`", path.display())));
    }
    let header = Header {
        format: FORMAT,
        component: M::COMPONENT,
        architecture: model.architecture(),
        head: model.head_config(),
        metadata: metadata.clone(),
    };
    let text = serde_json::to_string_pretty(&header)
        .map_err(|error| Error::file(path, "a header that can be written", error.to_string()))?;
    let in_file = |name: &str| header.architecture.name_in_whole(M::COMPONENT, name);
    let tensors: Tensors =
        tensors::collect(model).into_iter().map(|(name, data)| (in_file(&name), data)).collect();
    tensors::write(path, &tensors, &text)?;
    tensors::write_atomically(&json_file(path), text.as_bytes())
}

/// Loads a model, or one half of it. Halves can also be loaded from a file of the whole model.
///
/// # Errors
/// If the file cannot be read, has no model or one of another kind, or its tensors do not fit its
/// header.
pub fn load<M: FromArchitecture>(path: &Path, device: &Device) -> Result<(M, Metadata)> {
    let (header, tensors) = open_component::<M>(path)?;
    check_size::<M>(&header, &tensors).map_err(in_file(path))?;
    let model = M::from_header(&header, device).map_err(in_file(path))?;
    Ok((fill(path, model, tensors)?, header.metadata))
}

/// Loads the weights of a file into an existing model.
///
/// # Errors
/// As [`load`], and if the file's architecture differs from the model's. The message names every
/// difference.
pub fn load_weights<M: FromArchitecture>(path: &Path, model: M) -> Result<M> {
    let (header, tensors) = open_component::<M>(path)?;
    let differences = differences(&header.architecture, &model.architecture());
    if !differences.is_empty() {
        return Err(Error::file(path, "the architecture of this model", differences.join("; ")));
    }
    fill(path, model, tensors)
}

/// Reads the header of a file.
///
/// # Errors
/// If the file cannot be read or has no header.
pub fn read_header(path: &Path) -> Result<Header> {
    open(path).map(|(header, _)| header)
}

fn open(path: &Path) -> Result<(Header, Tensors)> {
    let (tensors, inside) = tensors::read(path)?;
    let (source, text) = match inside.is_empty() {
        false => (path.to_owned(), inside),
        true => {
            let json = json_file(path);
            let text = std::fs::read_to_string(&json).map_err(|error| {
                let expected = format!("a header in its metadata or in {}", json.display());
                Error::file(path, expected, format!("neither ({error})"))
            })?;
            (json, text)
        }
    };
    let header: Header = serde_json::from_str(&text)
        .map_err(|error| Error::file(&source, "the header of a model", error.to_string()))?;
    if header.format != FORMAT {
        let expected = format!("format {FORMAT} (a newer version of the program may have it)");
        return Err(Error::file(&source, expected, format!("format {}", header.format)));
    }
    Ok((header, tensors))
}

/// Opens a file that has the component `M`.
fn open_component<M: FromArchitecture>(path: &Path) -> Result<(Header, Tensors)> {
    let (header, tensors) = open(path)?;
    let has_it = match header.component {
        Component::Whole => M::COMPONENT != Component::Classifier,
        Component::Classifier => matches!(M::COMPONENT, Component::Classifier | Component::Encoder),
        half => half == M::COMPONENT,
    };
    if !has_it {
        let alone = if header.component.is_half() { " alone" } else { "" };
        let got = format!("{}{alone}", header.component.with_article());
        return Err(Error::file(path, M::COMPONENT.with_article(), got));
    }
    Ok((header, tensors))
}

/// The number of parameters up to which a model is built even if the file has fewer, so that the error
/// can name the missing ones.
const ALWAYS_ALLOWED: usize = 1 << 22;

/// Checks that a file has as many numbers as its header says. Otherwise a few bytes could ask for any
/// amount of memory.
fn check_size<M: FromArchitecture>(header: &Header, tensors: &Tensors) -> Result<()> {
    header.architecture.check()?;
    let held: usize = tensors.values().map(TensorData::num_elements).sum();
    match header.architecture.parameters(M::COMPONENT) {
        Some(promised) if promised <= held.max(ALWAYS_ALLOWED) => Ok(()),
        promised => {
            let expected = format!("the {} of its header", promised.unwrap_or(usize::MAX));
            Err(Error::config("parameters", expected, held))
        }
    }
}

fn fill<M: FromArchitecture>(path: &Path, model: M, mut tensors: Tensors) -> Result<M> {
    for (name, data) in &tensors {
        if let Some(value) = data.iter::<f64>().find(|value| !value.is_finite()) {
            return Err(Error::file(
                path,
                format!("finite numbers in tensor {name}"),
                value.to_string(),
            ));
        }
    }
    let architecture = model.architecture();
    let mut named = Tensors::new();
    for name in tensors::names(&model) {
        if let Some(data) = tensors.remove(&architecture.name_in_whole(M::COMPONENT, &name)) {
            named.insert(name, data);
        }
    }
    // The other tensors belong to the other half, unless this is the whole model.
    if !M::COMPONENT.is_half() {
        named.extend(tensors);
    }
    tensors::replace(model, named).map_err(in_file(path))
}

fn in_file(path: &Path) -> impl FnOnce(Error) -> Error {
    move |error| Error::file(path, "a model that fits its header", format!("`{error}`"))
}

fn json_file(path: &Path) -> PathBuf {
    path.with_extension("json")
}

/// The differences, field by field, in words.
fn differences(file: &Architecture, model: &Architecture) -> Vec<String> {
    let fields = |architecture| match serde_json::to_value(architecture) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (file, model) = (fields(file), fields(model));
    if file["kind"] != model["kind"] {
        return vec![format!("kind is {} in the file and {} here", file["kind"], model["kind"])];
    }
    // A field that is left out has its default.
    let missing = model.iter().filter(|(field, _)| !file.contains_key(*field));
    let either = file.iter().chain(missing).map(|(field, _)| field);
    let text = |value: Option<&Value>| value.map_or("not given".to_owned(), Value::to_string);
    either
        .filter(|field| file.get(*field) != model.get(*field))
        .map(|field| {
            let [there, here] = [&file, &model].map(|of| text(of.get(field)));
            format!("{field} is {there} in the file and {here} here")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::*;
    use burn::tensor::{Tensor, TensorData};

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn metadata() -> Metadata {
        Metadata {
            preprocessing: serde_json::json!({ "method": "none" }),
            provenance: BTreeMap::from([("seed".into(), "7".into())]),
        }
    }

    fn conv() -> ConvConfig {
        ConvConfig {
            channels: vec![2, 4],
            norm: Norm::Layer,
            hidden: vec![6],
            ..ConvConfig::new([1, 9, 7], 3)
        }
    }

    fn input(features: usize) -> Tensor<2> {
        let values: Vec<f32> = (0..2 * features).map(|i| i as f32 / 40.0).collect();
        Tensor::from_data(TensorData::new(values, [2, features]), &Device::flex())
    }

    #[test]
    fn every_model_and_its_encoder_survive_save_and_load() {
        let (folder, device) = (temporary(), Device::flex());
        let path = folder.path().join("model.safetensors");
        let tied = DenseConfig { tied: true, ..DenseConfig::new([63, 5, 3]) };
        for architecture in [
            Architecture::Dense(DenseConfig::new([63, 5, 3])),
            Architecture::Dense(tied.clone()),
            Architecture::Conv(conv()),
            Architecture::Conv(ConvConfig { tied: true, top_k: Some(2), ..conv() }),
            Architecture::Dense(DenseConfig {
                linear_path: Some(2),
                ..DenseConfig::new([63, 5, 3])
            }),
            Architecture::Conv(ConvConfig { linear_path: Some(3), ..conv() }),
            Architecture::Pca(PcaConfig { features: 63, components: 3 }),
            Architecture::Dense(tied).stacked(),
            Architecture::Conv(conv()).stacked(),
        ] {
            let model = architecture.init(11, &device).unwrap();
            save(&path, &model, &metadata()).unwrap();
            let (again, known) = load::<Model>(&path, &device).unwrap();
            assert_eq!((again.architecture(), known), (architecture, metadata()));
            let (code, again_code) = (model.encode(input(63)), again.encode(input(63)));
            assert_eq!(code.to_data(), again_code.to_data());
            assert_eq!(
                model.decode(code.clone()).into_data(),
                again.decode(again_code).into_data()
            );

            // The encoder alone, from the file of the model and from a file of its own.
            let half = folder.path().join("encoder.safetensors");
            save(&half, &model.to_encoder(), &metadata()).unwrap();
            for file in [&path, &half] {
                let (encoder, known) = load::<ModelEncoder>(file, &device).unwrap();
                assert_eq!(
                    (encoder.encode(input(63)).into_data(), known),
                    (code.to_data(), metadata())
                );
            }
            let message = load::<Model>(&half, &device).unwrap_err().to_string();
            assert!(
                message.ends_with("expected an autoencoder, got an encoder alone"),
                "{message}"
            );
        }
    }

    #[test]
    fn halves_are_loaded_from_their_own_files_and_from_the_whole() {
        let (folder, device) = (temporary(), Device::flex());
        let whole = folder.path().join("whole.safetensors");
        let half = folder.path().join("half.safetensors");
        let model = conv().init(5, &device).unwrap();
        let code = model.encode(input(63));
        save(&whole, &model, &metadata()).unwrap();

        save(&half, model.encoder(), &metadata()).unwrap();
        for file in [&half, &whole] {
            let (encoder, _) = load::<ConvEncoder>(file, &device).unwrap();
            assert_eq!(encoder.encode(input(63)).into_data(), code.to_data());
        }
        let message = load::<ConvDecoder>(&half, &device).unwrap_err().to_string();
        assert!(message.ends_with("expected a decoder, got an encoder alone"), "{message}");

        save(&half, &model.to_decoder(), &metadata()).unwrap();
        for file in [&half, &whole] {
            let (decoder, _) = load::<ConvDecoder>(file, &device).unwrap();
            let expected = model.decode(code.clone()).into_data();
            assert_eq!(decoder.decode(code.clone()).into_data(), expected);
        }
    }

    #[test]
    fn classifier_and_its_encoder_survive_save_and_load() {
        let (folder, device) = (temporary(), Device::flex());
        let path = folder.path().join("classifier.safetensors");
        let stack = Architecture::Dense(DenseConfig::new([63, 5, 3])).stacked();
        for architecture in [Architecture::Conv(conv()), stack] {
            let encoder = architecture.init(3, &device).unwrap().to_encoder();
            let head = Tensors::from([
                ("weight".to_owned(), TensorData::from([[0.5f32, -1.0, 2.0]; 4])),
                ("bias".to_owned(), TensorData::from([0.0f32, 1.0, 2.0, 3.0])),
            ]);
            let head =
                tensors::replace(HeadConfig::new(3, 4).init(&device).unwrap(), head).unwrap();
            let classifier = Classifier::new(encoder, head).unwrap();
            save(&path, &classifier, &metadata()).unwrap();
            let (again, known) = load::<Classifier<ModelEncoder>>(&path, &device).unwrap();
            let expected = classifier.scores(input(63)).into_data();
            assert_eq!((again.scores(input(63)).into_data(), known), (expected, metadata()));
            let (encoder, _) = load::<ModelEncoder>(&path, &device).unwrap();
            let expected = classifier.encoder().encode(input(63)).into_data();
            assert_eq!(encoder.encode(input(63)).into_data(), expected);
            let message = load::<Model>(&path, &device).unwrap_err().to_string();
            assert!(message.ends_with("expected an autoencoder, got a classifier"), "{message}");
        }
        save(&path, &conv().init(0, &device).unwrap(), &metadata()).unwrap();
        let message = load::<Classifier<ModelEncoder>>(&path, &device).unwrap_err().to_string();
        assert!(message.ends_with("expected a classifier, got an autoencoder"), "{message}");
    }

    #[test]
    fn decoder_of_a_tied_model_has_its_own_weights() {
        let (folder, device) = (temporary(), Device::flex());
        let path = folder.path().join("model.safetensors");
        let config = DenseConfig { tied: true, ..DenseConfig::new([6, 4, 2]) };
        let model = config.init(1, &device).unwrap();
        save(&path, &model, &Metadata::default()).unwrap();
        let message = load::<DenseDecoder>(&path, &device).unwrap_err().to_string();
        assert!(message.contains("call `to_decoder()`"), "{message}");
        save(&path, &model.to_decoder(), &Metadata::default()).unwrap();
        let (decoder, _) = load::<DenseDecoder>(&path, &device).unwrap();
        let code = Tensor::ones([1, 2], &device);
        assert_eq!(decoder.decode(code.clone()).into_data(), model.decode(code).into_data());
    }

    #[test]
    fn error_names_the_differences_of_architectures() {
        let (folder, device) = (temporary(), Device::flex());
        let path = folder.path().join("model.safetensors");
        save(&path, &conv().init(0, &device).unwrap(), &Metadata::default()).unwrap();
        let end = |error: Error| error.to_string().split_once("expected ").unwrap().1.to_owned();

        let other =
            ConvConfig { code: Some(4), channels: vec![2], ..conv() }.init(0, &device).unwrap();
        assert_eq!(
            end(load_weights(&path, other).unwrap_err()),
            "the architecture of this model, got channels is [2,4] in the file and [2] here; \
             code is 3 in the file and 4 here"
        );
        // A field that is left out where it has its default.
        let other = ConvConfig { linear_path: Some(2), ..conv() }.init(0, &device).unwrap();
        assert_eq!(
            end(load_weights(&path, other.clone()).unwrap_err()),
            "the architecture of this model, got linear_path is not given in the file and 2 here"
        );
        let with_path = folder.path().join("with-path.safetensors");
        save(&with_path, &other, &Metadata::default()).unwrap();
        let without = conv().init(0, &device).unwrap();
        assert_eq!(
            end(load_weights(&with_path, without).unwrap_err()),
            "the architecture of this model, got linear_path is 2 in the file and not given here"
        );
        let other = DenseConfig::new([63, 3]).init(0, &device).unwrap();
        assert_eq!(
            end(load_weights(&path, other).unwrap_err()),
            "the architecture of this model, got kind is \"conv\" in the file and \"dense\" here"
        );
        assert_eq!(
            end(load::<Dense>(&path, &device).unwrap_err()),
            "a model that fits its header, got `kind: expected dense, got conv`"
        );
    }

    #[test]
    fn malformed_files_are_refused() {
        let (folder, device) = (temporary(), Device::flex());
        let path = folder.path().join("model.safetensors");
        let message = || {
            let error = load::<Model>(&path, &device).unwrap_err().to_string();
            error.replace(&folder.path().display().to_string(), "<folder>")
        };
        assert!(message().starts_with("<folder>/model.safetensors: No such file"), "{}", message());
        std::fs::write(&path, b"not a model at all").unwrap();
        assert!(message().contains("expected a safetensors file, got `"), "{}", message());

        let mut tensors = tensors::collect(&conv().init(0, &device).unwrap());
        tensors::write(&path, &tensors, "").unwrap();
        assert!(message().contains("expected a header in its metadata or in"), "{}", message());
        tensors::write(&path, &tensors, "{\"format\": 1}").unwrap();
        assert!(message().contains("expected the header of a model, got missing field"));

        save(&path, &conv().init(0, &device).unwrap(), &Metadata::default()).unwrap();
        let (_, text) = tensors::read(&path).unwrap();
        tensors::write(&path, &tensors, &text.replace("\"format\": 1", "\"format\": 9")).unwrap();
        assert!(message().contains("expected format 1 (a newer version"), "{}", message());
        for (from, to, expected) in [
            (
                "[\n      1,\n      9,\n      7\n    ]",
                "[1, 99999999999, 99999999999]",
                "at most 2147483648",
            ),
            (
                "\"kernel\": 3",
                "\"kernel\": 18446744073709551615",
                "at most 2147483648, got far more",
            ),
            ("\"code\": 3", "\"code\": 9999999", "the 130000516 of its header"),
        ] {
            assert!(text.contains(from), "{text}");
            tensors::write(&path, &tensors, &text.replace(from, to)).unwrap();
            assert!(
                message().contains(&format!("parameters: expected {expected}")),
                "{}",
                message()
            );
        }
        let weight = tensors["encoder.dense.0.bias"].clone();
        let broken = TensorData::new(vec![f32::NAN; 6], [6]);
        tensors.insert("encoder.dense.0.bias".into(), broken);
        tensors::write(&path, &tensors, &text).unwrap();
        assert!(
            message().ends_with("expected finite numbers in tensor encoder.dense.0.bias, got NaN"),
            "{}",
            message()
        );
        tensors.insert("encoder.dense.0.bias".into(), weight);
        tensors.remove("encoder.dense.0.weight");
        tensors::write(&path, &tensors, &text).unwrap();
        assert!(
            message().ends_with(
                "got `tensor encoder.dense.0.weight: expected shape [6, 24], got no such tensor`"
            ),
            "{}",
            message()
        );
    }

    #[test]
    fn another_extension_is_refused() {
        let (folder, device) = (temporary(), Device::flex());
        let model = conv().init(0, &device).unwrap();
        for name in ["model.json", "model", "model.1"] {
            let path = folder.path().join(name);
            let message = save(&path, &model, &Metadata::default()).unwrap_err().to_string();
            assert!(message.contains("expected a name that ends in .safetensors"), "{message}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn counted_parameters_are_those_of_the_model() {
        let device = Device::flex();
        let tied = DenseConfig { tied: true, ..DenseConfig::new([6, 4, 2]) };
        for architecture in [
            Architecture::Dense(DenseConfig::new([6, 4, 2])),
            Architecture::Dense(tied),
            Architecture::Conv(conv()),
            Architecture::Conv(ConvConfig { norm: Norm::None, ..conv() }),
            Architecture::Conv(ConvConfig { tied: true, ..conv() }),
            Architecture::Conv(ConvConfig { linear_path: Some(3), ..conv() }),
            Architecture::Dense(DenseConfig {
                linear_path: Some(1),
                ..DenseConfig::new([6, 4, 2])
            }),
            Architecture::Conv(ConvConfig { hidden: vec![], ..ConvConfig::maps([1, 9, 7], [3]) }),
        ] {
            let model = architecture.init(0, &device).unwrap();
            let count = |component| architecture.parameters(component);
            assert_eq!(count(Component::Whole), Some(burn::module::Module::num_params(&model)));
            let of = |prefix: &str| {
                let tensors = tensors::collect(&model);
                let component = tensors.iter().filter(|(name, _)| name.starts_with(prefix));
                component.map(|(_, data)| data.num_elements()).sum::<usize>()
            };
            assert_eq!(count(Component::Encoder), Some(of("encoder.")));
            assert_eq!(count(Component::Decoder), Some(of("decoder.")));
        }
    }

    /// Weights that another program has saved have lost their metadata.
    #[test]
    fn header_is_read_from_the_json_file_if_the_weights_have_none() {
        let (folder, device) = (temporary(), Device::flex());
        let path = folder.path().join("model.safetensors");
        let model = conv().init(4, &device).unwrap();
        save(&path, &model, &metadata()).unwrap();
        let (tensors, _) = tensors::read(&path).unwrap();
        tensors::write(&path, &tensors, "").unwrap();
        let (again, known) = load::<Model>(&path, &device).unwrap();
        assert_eq!(known, metadata());
        assert_eq!(again.encode(input(63)).into_data(), model.encode(input(63)).into_data());
    }

    /// The names of PyTorch, and its layout `[out, in]`.
    #[test]
    fn names_and_layout_are_those_of_pytorch() {
        let device = Device::flex();
        let names = |tensors: Tensors| -> Vec<String> {
            tensors.iter().map(|(name, data)| format!("{name} {:?}", &data.shape()[..])).collect()
        };
        let model = DenseConfig::new([6, 4, 2]).init(0, &device).unwrap();
        assert_eq!(
            names(tensors::collect(&model)),
            [
                "decoder.layers.0.bias [4]",
                "decoder.layers.0.weight [4, 2]",
                "decoder.layers.1.bias [6]",
                "decoder.layers.1.weight [6, 4]",
                "encoder.layers.0.bias [4]",
                "encoder.layers.0.weight [4, 6]",
                "encoder.layers.1.bias [2]",
                "encoder.layers.1.weight [2, 4]",
            ]
        );
        let weights = tensors::collect(&conv().init(0, &device).unwrap());
        let shape = |name: &str| weights[name].shape().to_vec();
        assert_eq!(shape("encoder.stages.1.convolution.weight"), [4, 2, 3, 3]);
        assert_eq!(shape("encoder.stages.1.norm.weight"), [4]);
        assert_eq!(shape("decoder.stages.0.convolution.weight"), [4, 2, 3, 3]);
        assert_eq!(shape("encoder.dense.0.weight"), [6, 24]);
    }

    #[test]
    fn collect_and_replace_are_inverse() {
        let device = Device::flex();
        let model = DenseConfig::new([3, 2]).init(9, &device).unwrap();
        let tensors = tensors::collect(&model);
        let again = DenseConfig::new([3, 2]).init(1, &device).unwrap();
        let again = tensors::replace(again, tensors.clone()).unwrap();
        assert_eq!(tensors::collect(&again), tensors);
        assert_eq!(
            model.encode(Tensor::ones([1, 3], &device)).into_data(),
            again.encode(Tensor::ones([1, 3], &device)).into_data()
        );
    }
}
