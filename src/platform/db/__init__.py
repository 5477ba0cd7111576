"""The database: engine, tenancy, constraints here; the unit of work in `src.platform.db.uow`."""

from src.platform.db.base import Base, Directory, TenantScoped, within_tenant
from src.platform.db.constraints import register_constraint

__all__ = ["Base", "Directory", "TenantScoped", "register_constraint", "within_tenant"]
