namespace ClaimCheck.Consumer.Databases;

/// <summary>A password file can't be read.</summary>
internal sealed class PasswordFileException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>
/// A file whose content is a password or token that may be replaced at any time. One that the server has accepted is used for a
/// while; one that was not accepted is read again at once, so that the next connection succeeds as soon as the right one is
/// there.
/// </summary>
/// <param name="path">Where it is. A line break at its end is not part of the password.</param>
/// <param name="refresh">How long an accepted password is used before the file is read again.</param>
/// <param name="time">The clock.</param>
internal sealed class PasswordFile(string path, TimeSpan refresh, TimeProvider time)
{
    private readonly Lock gate = new();
    private string? taken;
    private string? offered;
    private long readAt;

    /// <summary>The password for the next connection.</summary>
    /// <exception cref="PasswordFileException">It can't be read, or it is empty.</exception>
    public string Next()
    {
        lock (gate)
        {
            if (taken is { } current && time.GetElapsedTime(readAt) < refresh)
            {
                // Until the server has accepted it once more: a password that was replaced must not be used twice.
                (offered, taken) = (current, null);
                return current;
            }
        }

        var password = Read();
        lock (gate)
            (offered, taken, readAt) = (password, null, time.GetTimestamp());
        return password;
    }

    /// <summary>The server has accepted the password that was returned last.</summary>
    public void Taken()
    {
        lock (gate)
            taken = offered;
    }

    /// <summary>Makes a pool ask for its password here.</summary>
    public void Use(NpgsqlDataSourceBuilder builder)
    {
        // With a password of its own in the string, the driver would refuse another source.
        (builder.ConnectionStringBuilder.Password, builder.ConnectionStringBuilder.Passfile) = (null, null);
        builder.UsePasswordProvider(_ => Next(), (_, _) => ValueTask.FromResult(Next()));
        builder.UsePhysicalConnectionInitializer(
            _ => Taken(),
            _ =>
            {
                Taken();
                return Task.CompletedTask;
            });
    }

    private string Read()
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PasswordFileException($"The password file can't be read ({e.GetType().Name}).", e);
        }

        var password = text.TrimEnd('\r', '\n');
        return password.Length > 0 ? password : throw new PasswordFileException("The password file is empty.");
    }
}
