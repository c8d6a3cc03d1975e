autocmd BufRead,BufNewFile *.route setfiletype ringway
