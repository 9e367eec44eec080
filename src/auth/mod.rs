//! Who is asking: passwords, tokens, and the actor that only verified claims can make.
