//! Drivers: the user's own systems, one file each.

use crate::context::Context;
use crate::options::Refused;
use crate::replica::Replica;
use assize_model::binding::Binding;
use std::sync::Arc;

/// Binds one replica of a real service, and finds it ready.
///
/// # Errors
/// An unknown driver, a server that is not there or not ready, wrong credentials.
pub async fn start(binding: &Binding, context: Context) -> Result<Arc<dyn Replica>, Refused> {
    Err(Refused::new(format!(
        "{}: there is no driver `{}`",
        context.name(),
        binding.driver
    )))
}
