" Indents by brackets: one step inside of { ( and [; a closing one stands below the line that opened it. A line that
" begins with an operator goes on with the one above, one step inside of it.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=RingwayIndent(v:lnum)
setlocal indentkeys=0{,0},0),0],!^F,o,O
let b:undo_indent = "setlocal indentexpr< indentkeys<"

if exists("*RingwayIndent")
  finish
endif

" A line without its texts, patterns and comment, so that brackets in them do not count.
function s:Bare(line)
  let bare = substitute(a:line, '"\%(\\.\|[^"\\]\)*"', '', 'g')
  let bare = substitute(bare, '\%(^\|[^0-9A-Za-z]\)\zs/[/*]\@!\%(\\.\|[^/\\]\)\+/', '', 'g')
  return substitute(bare, '#.*', '', '')
endfunction

" How many more brackets a line opens than it closes; those that begin it count for themselves.
function s:Opened(line)
  let bare = substitute(s:Bare(a:line), '^\s*[])}]\+', '', '')
  return len(substitute(bare, '[^{([]', '', 'g')) - len(substitute(bare, '[^])}]', '', 'g'))
endfunction

" Whether a line goes on with the one above.
function s:GoesOn(line)
  return a:line =~# '^\s*\%(\%(and\|or\)\>\|[+*-]\|[=!<>]=\)'
endfunction

function RingwayIndent(number)
  let above = prevnonblank(a:number - 1)
  if above == 0
    return 0
  endif
  let steps = s:Opened(getline(above)) > 0 ? 1 : s:Opened(getline(above)) < 0 ? -1 : 0
  if s:Bare(getline(a:number)) =~# '^\s*[])}]'
    let steps -= 1
  endif
  let steps += s:GoesOn(getline(a:number)) - s:GoesOn(getline(above))
  return max([0, indent(above) + steps * shiftwidth()])
endfunction
