" Route files of Ringway: four spaces, comments with #, `gq` and `:%!ringway fmt -` bring them into their layout.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal expandtab shiftwidth=4 softtabstop=4 textwidth=0
setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal makeprg=ringway\ check\ %:S
setlocal errorformat=%trror:\ %f:%l:%c:\ %m,%tarning:\ %f:%l:%c:\ %m,%-G%.%#

let b:undo_ftplugin = "setlocal expandtab< shiftwidth< softtabstop< textwidth< comments< commentstring<"
      \ . " formatoptions< makeprg< errorformat<"
