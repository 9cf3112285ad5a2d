-- Listed strikes of one expiry, ascending.
select distinct strike from contract
 where underlying = %(underlying)s and expiry = %(expiry)s
 order by strike
