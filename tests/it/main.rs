//! One integration binary for the whole product.

mod worked;
