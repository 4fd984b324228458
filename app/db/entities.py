"""Load instances of mapped classes from records of asyncpg, without a session."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Float, Numeric, inspect
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.orm import Mapper, RelationshipProperty, Session, configure_mappers
from sqlalchemy.orm.attributes import set_committed_value

DIALECT: Any = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
OIDS: dict[type, int] = {Float: 701, Numeric: 1700}
"""The `pg_type.oid` by which SQLAlchemy chooses a processor. Float comes first, because it is a Numeric."""
REFRESHED = "refreshed"
"""Where a session keeps the instances that a savepoint has refreshed: they are expired if it is rolled back."""
STATE = "_sa_instance_state"
EAGER = frozenset({"joined", "selectin", "subquery", "immediate", False})
"""`lazy=False` is the same as "joined"."""


class TracingError(TypeError):
    """A function cannot be traced. The message names the remedy."""


def result_processor(kind: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401  any type of SQLAlchemy
    """Return SQLAlchemy's result processor of a type; None if the value of asyncpg is used as it is."""
    oid = next((oid for base, oid in OIDS.items() if isinstance(kind, base)), None)
    process: Callable[[Any], Any] | None = kind.dialect_impl(DIALECT).result_processor(DIALECT, oid)
    return process


def refuse_unsupported(mapper: Mapper[Any]) -> None:
    """Raise TracingError if instances of a class need more than their columns."""
    name = mapper.class_.__name__
    if mapper.polymorphic_on is not None or mapper.inherits:
        raise TracingError(f"{name} is part of a hierarchy: query it with plain SQLAlchemy")
    for relationship in mapper.relationships:
        if isinstance(relationship, RelationshipProperty) and relationship.lazy in EAGER:
            raise TracingError(f"{name}.{relationship.key} is loaded eagerly: query {name} with plain SQLAlchemy")
    for attribute in mapper.column_attrs:
        if attribute.deferred:
            raise TracingError(f"{name}.{attribute.key} is deferred: select the columns that you need")
    events = mapper.class_manager.dispatch
    if list(events.load) or list(events.refresh):
        raise TracingError(f"{name} has load events, which would not run: query it with plain SQLAlchemy")


class EntityLoader:
    """Creates instances of a mapped class from records.

    An instance that the session holds is refreshed and returned (and forgotten, if the statement deletes it). Any other
    is detached: it has its identity, so `session.add(instance)` makes it persistent. Where all columns of the primary
    key are NULL, as for the missing side of an outer join, there is no instance but None.
    """

    def __init__(self, mapper: Mapper[Any], places: Mapping[str, int], *, is_delete: bool) -> None:
        """Read the attributes from these places of a record."""
        configure_mappers()
        self._class: Any = mapper.class_
        self._new: Any = mapper.class_.__new__
        self._set_up = mapper.class_manager.setup_instance
        self._keys, self._places = tuple(places), tuple(places.values())
        self._is_in_order = self._places == tuple(range(len(places)))
        self._processors = [
            (attribute.key, process)
            for attribute in mapper.column_attrs
            if attribute.key in places and (process := result_processor(attribute.columns[0].type)) is not None
        ]
        self._primary_key = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
        self._identity_class = mapper.identity_key_from_primary_key((None,) * len(mapper.primary_key))[0]
        self._is_delete = is_delete

    def load(self, records: Iterable[Any], session: Session | None, *, is_joined: bool = False) -> list[Any]:
        """Return an instance for each record; equal ones once if the rows are joined."""
        instances = self._make(records if self._is_in_order else self._in_order(records))
        held = session.identity_map if session is not None and session.identity_map else None
        if held is None and not is_joined:
            return instances
        seen: dict[Any, Any] = {}
        for place, instance in enumerate(instances):
            if instance is not None:
                identity = instance.__dict__[STATE].key
                known = held.get(identity) if held is not None else None
                if session is not None and known is not None:
                    instances[place] = self._refresh(session, known, instance)
                elif is_joined:
                    instances[place] = seen.setdefault(identity, instance)
        return instances

    def _in_order(self, records: Iterable[Any]) -> list[list[Any]]:
        return [[record[place] for place in self._places] for record in records]

    def _make(self, records: Iterable[Any]) -> list[Any]:
        """Return a detached instance for each record, or None if the whole primary key is NULL."""
        keys, processors, identity_class = self._keys, self._processors, self._identity_class
        class_, new, set_up, [first, *others] = self._class, self._new, self._set_up, self._primary_key
        instances = []
        for record in records:
            instance = new(class_)
            set_up(instance)
            values = instance.__dict__
            values.update(zip(keys, record))  # noqa: B905  `strict=False` takes a tenth of all this
            for name, process in processors:
                values[name] = process(values[name])
            key = (values[first], *[values[name] for name in others]) if others else (values[first],)
            values[STATE].key = (identity_class, key, None)
            if key[0] is None and all(value is None for value in key):
                instance = None
            instances.append(instance)
        return instances

    def _refresh(self, session: Session, instance: Any, loaded: Any) -> Any:  # noqa: ANN401
        """Copy the values of a loaded instance to the instance that the session holds."""
        pending = inspect(instance).committed_state
        for key in self._keys:
            if key not in pending:  # Pending changes (under `no_autoflush`) are not overwritten.
                set_committed_value(instance, key, loaded.__dict__[key])
        if self._is_delete:
            session.expunge(instance)
        elif session.in_nested_transaction():
            session.info.setdefault(REFRESHED, []).append(instance)
        return instance


def expire_others(session: Session, entity: type[Any], refreshed: Iterable[Any]) -> None:
    """Expire the held instances of a class that a traced INSERT, UPDATE or DELETE may have changed."""
    known = {id(instance) for instance in refreshed}
    for instance in list(session.identity_map.values()):
        if isinstance(instance, entity) and id(instance) not in known:
            session.expire(instance)


class ValueLoader:
    """Reads single values from records."""

    def __init__(self, place: int, kind: Any) -> None:  # noqa: ANN401  any type of SQLAlchemy
        """Read a value of this type from this place."""
        self._place, self._process = place, result_processor(kind)

    def load(self, records: Iterable[Any], _session: Session | None, *, is_joined: bool = False) -> list[Any]:
        """Return a value for each record."""
        del is_joined  # Values have no identity.
        place, process = self._place, self._process
        if process is None:
            return [record[place] for record in records]
        return [process(record[place]) for record in records]


Loader = EntityLoader | ValueLoader
