" Indentation as in `minima fmt`, while typing: two for a block, brackets and lines that go on.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=MinimaIndent(v:lnum)
setlocal indentkeys=0{,0},0),0],!^F,o,O,0=else,0=over,0=using,0=until,0=with,0=from,0=subject
let b:undo_indent = 'setlocal indentexpr< indentkeys<'

if exists('*MinimaIndent')
  finish
endif

" A line without its comment.
function! s:Code(lnum) abort
  return substitute(getline(a:lnum), '\s*//.*$', '', '')
endfunction

" The line before that holds code.
function! s:Before(lnum) abort
  let l:lnum = prevnonblank(a:lnum - 1)
  while l:lnum > 0 && s:Code(l:lnum) =~# '^\s*$'
    let l:lnum = prevnonblank(l:lnum - 1)
  endwhile
  return l:lnum
endfunction

" Whether a place is in a comment or text, for searchpair.
let s:skip = "synIDattr(synID(line('.'), col('.'), 0), 'name') =~# 'Comment\\|Doc\\|Expected\\|String\\|Escape'"

" The bracket that is open at the beginning of a line: its line and column.
function! s:Open(lnum) abort
  call cursor(a:lnum, 1)
  return searchpairpos('[[({]', '', '[])}]', 'bnW', s:skip, max([1, a:lnum - 500]))
endfunction

" The indentation that what stands in a bracket goes by: that of the line with the bracket, or, where this line
" begins inside another one, that of the line where the other was opened.
function! s:Base(lnum, column) abort
  let l:row = a:lnum
  let [l:outer, l:column] = s:Open(l:row)
  call cursor(a:lnum, a:column)
  let [l:around, l:at] = searchpairpos('[[({]', '', '[])}]', 'bnW', s:skip, max([1, a:lnum - 500]))
  while l:outer > 0 && (l:outer > l:around || (l:outer == l:around && l:column > l:at))
    let l:row = l:outer
    let [l:outer, l:column] = s:Open(l:row)
  endwhile
  return indent(l:row)
endfunction

let s:goes_on = '\%([-+*/@=,<>~^]\|\<\%(and\|or\|not\|mod\|div\|then\|else\|over\|using\|until\|with\|from\|in\)\)$'
let s:joins = '^\s*\%([+*@^=<>,]\|/[^/]\|-\s\||>\|\%(and\|or\|mod\|div\|then\|else\|over\|using\|until\|with\|from\|subject\|given\|derivative\|prox\|is\)\>\)'

function! MinimaIndent(lnum) abort
  let l:before = s:Before(a:lnum)
  if l:before == 0
    return 0
  endif
  let l:line = getline(a:lnum)
  let [l:row, l:column] = s:Open(a:lnum)
  let l:closes = l:line =~# '^\s*[])}]'
  let l:margin = 0
  if l:row > 0
    let l:opens = getline(l:row)[l:column - 1]
    let l:rest = strpart(s:Code(l:row), l:column)
    if l:opens !=# '{' && l:rest !~# '^\s*$'
      return l:closes ? l:column - 1 : l:column
    endif
    let l:margin = s:Base(l:row, l:column) + (l:closes ? 0 : shiftwidth())
    if l:opens !=# '{' || l:closes || l:row == l:before
      return l:margin
    endif
  endif
  " A line that goes on with the statement before.
  if s:Code(l:before) =~# s:goes_on || (l:line =~# s:joins && l:line !~# '^\s*else\>')
    return max([indent(l:before), l:margin + shiftwidth()])
  endif
  return l:margin
endfunction
