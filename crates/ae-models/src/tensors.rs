//! The parameters of a module by name, in PyTorch's layout, and as safetensors files.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::{Error, Result};

/// Tensors on the host, by name.
pub type Tensors = BTreeMap<String, TensorData>;

/// The parameters of a module, named by the path of their fields (`encoder.layers.0.weight`), in the
/// layout of PyTorch: the weight of a dense layer is `[out, in]`, the transpose of Burn's. They are read
/// back from the device.
pub fn collect<M: Module>(module: &M) -> Tensors {
    let mut visitor = Collector::default();
    module.visit(&mut visitor);
    visitor.tensors
}

/// The names of a module's parameters, in no particular order. Nothing is read back.
pub fn names<M: Module>(module: &M) -> Vec<String> {
    let mut visitor = Namer::default();
    module.visit(&mut visitor);
    visitor.names
}

/// The shapes of a module's parameters by name, in the layout of [`collect`]. It reads nothing back from the
/// device.
pub fn shapes<M: Module>(module: &M) -> BTreeMap<String, Vec<usize>> {
    let mut visitor = Shaper::default();
    module.visit(&mut visitor);
    visitor.shapes
}

/// Replaces the parameters of a module by `tensors`, on the same device.
///
/// # Errors
/// If a parameter is missing or has another shape, or a tensor has no parameter.
pub fn replace<M: Module>(module: M, tensors: Tensors) -> Result<M> {
    let mut mapper = Replacer { path: ParamPath::default(), tensors, problem: None };
    let module = module.map(&mut mapper);
    let left_over = mapper.tensors.keys().next();
    match (mapper.problem, left_over) {
        (Some(problem), _) => Err(Error::Tensors(problem)),
        (None, Some(name)) => {
            Err(Error::Tensors(format!("tensor {name}: expected no tensor of this name, got one")))
        }
        (None, None) => Ok(module),
    }
}

/// Writes tensors as safetensors, with a text under the key `ae` of the metadata. The file is written
/// whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, tensors: &Tensors, metadata: &str) -> Result<()> {
    let views = tensors.iter().map(|(name, data)| {
        let dtype = match data.dtype() {
            DType::F32 => Dtype::F32,
            DType::F64 => Dtype::F64,
            other => {
                return Err(Error::Tensors(format!(
                    "tensor {name}: expected f32 or f64, got {other:?}"
                )));
            }
        };
        let view = TensorView::new(dtype, data.shape().to_vec(), data.as_bytes());
        Ok((name, view.map_err(|error| Error::Tensors(format!("tensor {name}: {error}")))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = HashMap::from([(METADATA.to_owned(), metadata.to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata))
        .map_err(|error| Error::Tensors(error.to_string()))?;
    write_atomically(path, &bytes)
}

/// Reads a file of [`write()`], or any safetensors file of f32 and f64 tensors. The text is empty if the
/// file has none.
///
/// # Errors
/// If the file cannot be read or is not such a file.
pub fn read(path: &Path) -> Result<(Tensors, String)> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let not_safetensors = |error| Error::file(path, "a safetensors file", format!("`{error}`"));
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(not_safetensors)?;
    let text = metadata.metadata().as_ref().and_then(|map| map.get(METADATA).cloned());
    let tensors = SafeTensors::deserialize(&bytes).map_err(not_safetensors)?;
    let tensors = tensors.iter().map(|(name, view)| {
        let shape = view.shape().to_vec();
        let data = match view.dtype() {
            Dtype::F32 => TensorData::new(numbers(view.data(), f32::from_le_bytes), shape),
            Dtype::F64 => TensorData::new(numbers(view.data(), f64::from_le_bytes), shape),
            other => {
                let expected = format!("f32 or f64 in tensor {name}");
                return Err(Error::file(path, expected, format!("{other:?}")));
            }
        };
        Ok((name.to_owned(), data))
    });
    Ok((tensors.collect::<Result<_>>()?, text.unwrap_or_default()))
}

/// Writes a file whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))
}

/// Writes a file whole or not at all, in pieces, so that it need not fit into memory.
///
/// # Errors
/// If the file cannot be written, or `fill` fails.
pub fn write_atomically_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    let write = |file: &mut File| {
        let mut buffered = BufWriter::new(file);
        fill(&mut buffered)?;
        buffered.flush()
    };
    ae_files::write_atomically(path, write).map_err(Error::io(path))
}

const METADATA: &str = "ae";

fn numbers<T, const N: usize>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

/// The path of the current parameter in a traversal of a module. Call [`enter`](Self::enter) and
/// [`exit`](Self::exit) from `enter_module` and `exit_module` of a visitor or mapper. Variants of enums
/// are not part of the path, so a model has the same names inside [`Model`](crate::Model) as alone.
#[derive(Default)]
pub struct ParamPath(Vec<String>);

impl ParamPath {
    /// Enters a field.
    pub fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.push(name.to_owned());
        }
    }

    /// Leaves the field.
    pub fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    /// The fields of the path, joined by dots.
    pub fn name(&self) -> String {
        self.0.join(".")
    }
}

#[derive(Default)]
struct Collector {
    path: ParamPath,
    tensors: Tensors,
}

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = transpose_dense(param.val().without_autodiff());
        self.tensors.insert(self.path.name(), value.into_data());
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }
}

#[derive(Default)]
struct Namer {
    path: ParamPath,
    names: Vec<String>,
}

impl ModuleVisitor for Namer {
    fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
        self.names.push(self.path.name());
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }
}

#[derive(Default)]
struct Shaper {
    path: ParamPath,
    shapes: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Shaper {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.val().dims().to_vec();
        if D == 2 {
            shape.reverse();
        }
        self.shapes.insert(self.path.name(), shape);
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }
}

struct Replacer {
    path: ParamPath,
    tensors: Tensors,
    problem: Option<String>,
}

impl ModuleMapper for Replacer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let (id, old, mapper) = param.consume();
        let expected = transpose_dense(old.clone()).dims();
        let problem = match self.tensors.remove(&name) {
            None => format!("tensor {name}: expected shape {expected:?}, got no such tensor"),
            Some(data) if data.shape()[..] == expected => {
                let device = old.device().without_autodiff();
                // Transposed on the host, so that its memory is contiguous: a product with a
                // transposed view may round differently.
                let transposed =
                    transpose_dense(Tensor::<D>::from_data(data, (&device, old.dtype())))
                        .into_data();
                let new = Tensor::from_data(transposed, (&device, old.dtype()));
                let new = match old.is_autodiff() {
                    true => new.autodiff().set_require_grad(old.is_require_grad()),
                    false => new,
                };
                return Param::from_mapped_value(id, new, mapper);
            }
            Some(data) => {
                format!("tensor {name}: expected shape {expected:?}, got {:?}", data.shape())
            }
        };
        self.problem.get_or_insert(problem);
        Param::from_mapped_value(id, old, mapper)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }
}

/// Transposes the weights of dense layers, the only parameters with two dimensions, to or from the
/// layout of PyTorch.
fn transpose_dense<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if D == 2 { tensor.swap_dims(0, 1) } else { tensor }
}
