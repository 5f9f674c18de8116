//! Learns XOR by plain gradient descent on an exported network.
#![allow(non_snake_case)]

#[path = "../mlp/mlp.rs"]
mod mlp;

fn moved(weights: &mut [f32], gradient: &[f32]) {
    for (w, g) in weights.iter_mut().zip(gradient) {
        *w -= 0.5 * g;
    }
}

fn main() -> Result<(), mlp::Error> {
    let X = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let D = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let (mut W1, mut b1, mut W2, mut b2) = ([0f32; 16], [0f32; 8], [0f32; 16], [0f32; 2]);
    let mut state = 7u32;
    let mut uniform = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 8) as f32 / 8388608.0 - 1.0
    };
    for k in 0..16 {
        W1[k] = uniform();
        W2[k] = uniform();
    }
    let (mut dW1, mut db1, mut dW2, mut db2) = ([0f32; 16], [0f32; 8], [0f32; 16], [0f32; 2]);
    let mut workspace = mlp::Workspace::new();
    let mut loss = 0.0;
    for step in 0..=2000 {
        mlp::mlp(
            &X, &D, &W1, &b1, &W2, &b2, &mut loss, &mut dW1, &mut db1, &mut dW2, &mut db2,
            mlp::Extents { m: 4 }, &mut workspace,
        )?;
        moved(&mut W1, &dW1);
        moved(&mut b1, &db1);
        moved(&mut W2, &dW2);
        moved(&mut b2, &db2);
        if step % 500 == 0 {
            println!("step {step:4}  loss {loss:.6}");
        }
    }
    assert!(loss < 0.01, "XOR was not learned");
    Ok(())
}
