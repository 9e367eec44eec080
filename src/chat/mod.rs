//! The product: what can be asked, what can be told, and the rules between the two.
