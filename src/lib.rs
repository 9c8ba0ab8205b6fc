//! Facade.
pub use ae_data as data;
pub use ae_models as models;
pub use ae_train as train;
