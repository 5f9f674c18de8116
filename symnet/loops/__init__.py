"""The loop language: what runs, before anybody asks on which machine.

`ir` is the language, `printer` its text, `verifier` its law, `interpreter` its meaning, in the bits of machine code
where it is given a machine's `arithmetic`; `chunks` is the order in which lanes are added up, which `reductions`
follows, and `operands` says which products are rounded with their sums; `accesses`, `affine`, `facts` and `order` say
what is read where, and whether it was written before; `kernels` and `forms` find equal loops; `owners` says whose
memory a buffer is; `shares` gives tiles out to units; `sizes` and `polynomials` serve back ends; `signature`, `work`
and `abi` are what a caller sees.
"""
