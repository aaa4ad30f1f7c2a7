using Npgsql;

namespace Polder.Node.Storage;

/// <summary>"postgres://USER:PASSWORD@HOST:PORT/DATABASE?host=/run/postgresql" as people and other programs write it.</summary>
internal static class PostgresAddress
{
    /// <summary>Whether a setting means PostgreSQL.</summary>
    public static bool IsOne(string text) => text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <summary>What Npgsql wants to see; throws <see cref="ArgumentException"/> with what is wrong.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var address = text.Trim();
        if (!IsOne(address)) throw Bad($"\"{Shown(address)}\" is no address of a PostgreSQL database");
        // A socket's folder stands behind "?host=", and then there may be no host in the middle, which Uri does not like.
        var rest = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (rest.StartsWith('/')) rest = "localhost" + rest;
        else if (rest.Contains("@/", StringComparison.Ordinal)) rest = rest.Replace("@/", "@localhost/", StringComparison.Ordinal);
        if (!Uri.TryCreate("postgres://" + rest, UriKind.Absolute, out var uri)) throw Bad($"\"{Shown(address)}\" is no address of a PostgreSQL database");
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host.Length > 0 ? uri.Host : "localhost", Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')),
            ApplicationName = "polder", MaxAutoPrepare = 64, AutoPrepareMinUsages = 2, Timeout = 10, CommandTimeout = 0, Pooling = false, SearchPath = "polder",
        };
        if (builder.Database.Length == 0) throw Bad("The address names no database");
        if (uri.UserInfo.Split(':', 2) is [{ Length: > 0 } user, ..] parts)
        {
            builder.Username = Uri.UnescapeDataString(user);
            if (parts.Length > 1) builder.Password = Uri.UnescapeDataString(parts[1]);
        }
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Split('=', 2) is not [var name, var value]) throw Bad($"\"{Shown(pair)}\" in the address is no NAME=VALUE");
            value = Uri.UnescapeDataString(value);
            switch (name)
            {
                case "host": builder.Host = value; break;
                case "user": builder.Username = value; break;
                case "password": builder.Password = value; break;
                case "sslmode" when Enum.TryParse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var mode): builder.SslMode = mode; break;
                default: throw Bad($"\"{Shown(name)}\" in the address is not known: host, user, password, sslmode");
            }
        }
        return builder;

        static ArgumentException Bad(string words) => new(words + ". It looks like postgres://USER:PASSWORD@HOST/DATABASE, or postgres://USER@/DATABASE?host=/run/postgresql for a socket.");
    }

    /// <summary>The address without its password, for people.</summary>
    public static string Shown(string text)
    {
        var at = text.LastIndexOf('@');
        var colon = at > 0 ? text.IndexOf(':', text.IndexOf("://", StringComparison.Ordinal) + 3) : -1;
        return colon > 0 && colon < at ? text[..colon] + ":…" + text[at..] : text;
    }
}
