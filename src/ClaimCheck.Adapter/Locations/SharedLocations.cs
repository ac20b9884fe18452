using System.ComponentModel.DataAnnotations;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Creates locations from their settings. Nothing is connected yet: <see cref="ISharedLocation.CheckAsync"/> does that.
/// </summary>
internal static class SharedLocations
{
    /// <param name="options">The configuration.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ValidationException">A setting can't be used; the text says why.</exception>
    public static ISharedLocation Create(LocationOptions options, TimeProvider? time = null)
    {
        if (LocationRules.Problems(options).ToList() is { Count: > 0 } problems)
            throw new ValidationException(string.Join(" ", problems));
        time ??= TimeProvider.System;
        ISharedLocation location = options.Kind switch
        {
            "s3" => new S3Location(options, time),
            "sftp" => new SftpLocation(options, time),
            "http" => new HttpLocation(options, time),
            _ => new FolderLocation(options, time),
        };
        return new RetriedLocation(location, options, time);
    }
}
