" Route files of the SIP server Ringway.
if exists("b:current_syntax")
  finish
endif

" What stands further down goes before what stands above it.
syntax match ringwayVariable /\<\%(request\|from\|to\|source\|outcome\|now\|user\|branch\|reply\)\>/
syntax match ringwayTable /\<\%(domains\|banned\|lists\|hours\)\>/
syntax match ringwayDeclaration /\<\%(on\|route\|shared\|let\)\>/
syntax match ringwayDeclaration /\<test\ze\s*["{]/
syntax match ringwayStory /^\s*\zs\%(given\|expect\|after\)\>\%(\s*[=(.[]\)\@!/
syntax match ringwayStory /\<\%(then\|with\|without\)\>\%(\s*[=(.[]\)\@!/
syntax match ringwayDeclaration /\<\%(branch\|reply\)\ze\s\+\h\w*\s*(/
syntax match ringwayControl /\<\%(if\|else\|match\|for\|call\)\>/
syntax match ringwayOperator /\<\%(and\|or\|not\|in\|matches\)\>/
syntax match ringwayOperator /=>\|==\|!=\|<=\|>=\|[<>=+*-]\|\.\./
syntax match ringwayBoolean /\<\%(true\|false\)\>/
syntax match ringwayFunction /\<\%(asserted\|authenticate\|ban\|chance\|drop\|e164\|end_of\|enum\|exists\|limit\|log\|lookup\)\ze\s*(/
syntax match ringwayFunction /\<\%(national\|relay\|remove\|replace\|reply\|ring\|save\|start_of\|strip\|to_number\|unban\)\ze\s*(/
syntax match ringwayName /\%(\<\%(call\|route\|branch\|reply\|shared\)\s\+\)\@<=\h\w*/
syntax match ringwayProperty /\.\@<!\.\s*\h\w*/
syntax match ringwayNumber /\<\d\+\%(\.\d\+\)\=\%(ms\|[smhd]\)\=\>/
syntax match ringwayNumber /\<\d\+\/\%(ms\|[smhd]\)\>/
syntax match ringwayNumber /\<\d\+\%(\.\d\+\)\{3}\%(\/\d\+\)\=/
syntax match ringwayNumber /\%(\<\x\{1,4}\)\=:\x\{0,4}:\%(\x\{0,4}:\)*\%(\d\+\%(\.\d\+\)\{3}\|\x\{0,4}\)\%(\/\d\+\)\=/
syntax match ringwayLabel /\<\h\w*\ze\s*:\%(:\)\@!/
syntax match ringwayType /\%(:\s*\)\@<=\%(list of \%(text\|number\|uri\|destination\)\|branch function\|reply function\)\>/
syntax match ringwayType /\%(:\s*\)\@<=\%(text\|number\|truth\|duration\|uri\|domain\|address\|destination\|outcome\)\ze\s*\%([,)]\|for\>\|$\)/
syntax match ringwayPattern /\%([0-9A-Za-z]\)\@<!\/[/*]\@!\%(\\.\|[^/\\]\)\+\/i\=/
syntax match ringwayBadEscape /\\./ contained
syntax match ringwayEscape /\\["\\]/ contained
syntax region ringwayText start=/"/ skip=/\\./ end=/"/ oneline contains=ringwayEscape,ringwayBadEscape
syntax match ringwayComment /#.*/ contains=@Spell
syntax sync minlines=1

highlight default link ringwayVariable Identifier
highlight default link ringwayTable Constant
highlight default link ringwayDeclaration Structure
highlight default link ringwayStory PreProc
highlight default link ringwayControl Statement
highlight default link ringwayOperator Operator
highlight default link ringwayBoolean Boolean
highlight default link ringwayFunction Function
highlight default link ringwayName Function
highlight default link ringwayProperty Normal
highlight default link ringwayNumber Number
highlight default link ringwayLabel Label
highlight default link ringwayType Type
highlight default link ringwayPattern Special
highlight default link ringwayText String
highlight default link ringwayEscape SpecialChar
highlight default link ringwayBadEscape Error
highlight default link ringwayComment Comment

let b:current_syntax = "ringway"
