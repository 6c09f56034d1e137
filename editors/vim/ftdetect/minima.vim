" Programs of Minima.
autocmd BufNewFile,BufRead *.opt setfiletype minima
