namespace ClaimCheck.Consumer.Databases;

/// <summary>Parses connection strings in the same way for all parts of ClaimCheck.</summary>
internal static class ConnectionText
{
    private const string Gss = "GSS Encryption Mode";

    /// <summary>
    /// Parses one. Encryption by GSSAPI (Kerberos) is off unless the string or <c>PGGSSENCMODE</c> asks for it: the driver would
    /// look for tickets and ask each server for it first, and some proxies answer that by closing the connection.
    /// </summary>
    /// <exception cref="ArgumentException">It can't be read. The message may name its keywords, never its values.</exception>
    public static NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (!settings.ShouldSerialize(Gss) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("PGGSSENCMODE")))
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
        return settings;
    }
}
