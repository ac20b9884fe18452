namespace ClaimCheck.Service.Catalog;

/// <summary>Where the password of a database is read from: <c>ClaimCheck:Catalog</c> and
/// <c>ClaimCheck:Sources:{name}</c>.</summary>
/// <param name="Refresh">How long a password that the server has taken is used before the file is read again.</param>
internal sealed record PasswordOptions(string File, TimeSpan Refresh)
{
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <returns>Null where no file is named.</returns>
    /// <exception cref="FormatException">The settings can't be read; the text says why.</exception>
    public static PasswordOptions? Of(IConfiguration configuration, string section)
    {
        if (configuration[$"{section}:PasswordFile"] is not { Length: > 0 } file)
            return null;
        if (configuration[$"{section}:PasswordRefresh"] is not { Length: > 0 } text)
            return new(Path.GetFullPath(file), Usual);
        return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var refresh) && refresh > TimeSpan.Zero
            && refresh <= Longest
            ? new(Path.GetFullPath(file), refresh)
            : throw new FormatException(
                $"{section}:PasswordRefresh is '{text}', but must be a time of up to a day, such as 00:05:00: a replaced "
                + "password would not be read.");
    }

    public PasswordFile Open(TimeProvider time) => new(File, Refresh, time);

    /// <summary>The settings as they were written.</summary>
    internal sealed class Written
    {
        public string? PasswordFile { get; init; }

        public TimeSpan? PasswordRefresh { get; init; }
    }
}
