using System.Collections.Frozen;

namespace Polder.Graph.Wire;

/// <summary>
/// Members of JavaScript's object prototype. As a soul one of them ends a gun.js relay or alters the prototype of a client's objects:
/// for us they are ordinary texts, but they are not passed on to those who did not ask for them.
/// </summary>
internal static class PrototypeNames
{
    private static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
    [
        "__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
        "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
    ], StringComparer.Ordinal);

    public static bool Has(string name) => name.Length is >= 7 and <= 20 && Names.Contains(name);
}
