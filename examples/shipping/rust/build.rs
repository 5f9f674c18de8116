// Where the exported library lies:  python ../model.py mlp/mlp --files a,rs && cargo run --release
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    println!("cargo:rustc-link-search=native={here}/mlp");
    println!("cargo:rerun-if-changed=mlp");
}
